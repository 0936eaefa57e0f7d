// SPDX-License-Identifier: Apache-2.0
// What can be asked and commanded at the control socket. GET reads, POST commands; tables are streamed.
//
//   GET  /status  /peers  /peers/NAME  /services  /explain/service/NAMESPACE/NAME  /explain/route?prefix=P
//   GET  /routes/best  /routes/kernel  /routes/in?peer=N  /routes/out?peer=N
//        each with peer=N, prefix=P, family=ipv4|ipv6
//   POST /peers/NAME/restart?reason=TEXT  /peers/NAME/refresh?direction=in|out
//   GET  /mrt  /metrics  /healthz
//   POST /mrt/dump  /drain  /undrain
//
// Parameters that a path does not take are refused.
#pragma once

#include "speaker/control/server.hpp"
#include "speaker/speaker.hpp"

namespace speaker {

[[nodiscard]] ControlReply answer(Speaker& speaker, const ControlRequest& request);
// /metrics and /healthz alone, for the metrics port.
[[nodiscard]] ControlReply answer_metrics(Speaker& speaker, const ControlRequest& request);

}  // namespace speaker
