// SPDX-License-Identifier: Apache-2.0
// What can be asked and commanded at the control socket. GET reads, POST commands; tables are streamed.
//
//   GET  /status  /peers  /peers/NAME  /services  /explain/service/NAMESPACE/NAME  /explain/route?prefix=P
//   GET  /routes/best  /routes/in?peer=N  /routes/out?peer=N  /routes/kernel      each with ?prefix=P or
//   ?family=ipv4|ipv6 POST /peers/NAME/restart?reason=TEXT  /peers/NAME/refresh?direction=in|out GET  /metrics /healthz
//   GET  /mrt            POST /mrt/dump
#pragma once

#include "speaker/control/server.hpp"
#include "speaker/speaker.hpp"

namespace speaker {

[[nodiscard]] ControlReply answer(Speaker& speaker, const ControlRequest& request);
// /metrics and /healthz alone, for the metrics port.
[[nodiscard]] ControlReply answer_metrics(Speaker& speaker, const ControlRequest& request);

}  // namespace speaker
