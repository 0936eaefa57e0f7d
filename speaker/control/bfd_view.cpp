// SPDX-License-Identifier: Apache-2.0
// How a BFD session is shown.
#include "speaker/control/views.hpp"

namespace speaker {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::duration_cast;

double milliseconds(bfd::Interval interval) {
  return static_cast<double>(interval.count()) / 1000;
}

std::string_view print(bfd::EchoState echo) {
  switch (echo) {
    case bfd::EchoState::Off:
      return "off";
    case bfd::EchoState::Probing:
      return "probing";
    case bfd::EchoState::Active:
      break;
  }
  return "active";
}

Json remote(const bfd::SessionStatus& session) {
  Json out{{"state", bfd::print(session.remote_state)},
           {"diagnostic", bfd::print(session.remote_diagnostic)},
           {"discriminator", session.remote_discriminator}};
  if (session.remote_multiplier == 0) return out;  // nothing was heard yet
  out["detectMultiplier"] = session.remote_multiplier;
  out["desiredMinTxMsec"] = milliseconds(session.remote_desired_min_tx);
  out["requiredMinRxMsec"] = milliseconds(session.remote_required_min_rx);
  out["requiredMinEchoRxMsec"] = milliseconds(session.remote_required_min_echo_rx);
  out["demand"] = session.remote_demand;
  out["controlPlaneIndependent"] = session.remote_control_plane == bfd::ControlPlane::Independent;
  return out;
}

}  // namespace

Json view(const BfdStatus& status, const WallClock& clock) {
  const auto& session = status.session;
  const auto& config = status.config;
  Json out{{"profile", status.profile},
           {"state", bfd::print(session.state)},
           {"diagnostic", bfd::print(session.diagnostic)},
           {"multihop", status.hops == bfd::Hops::Multi},
           {"discriminator", session.local_discriminator}};
  if (status.place) out["local"] = net::print(status.place->local);
  out["transmitIntervalMsec"] = milliseconds(session.transmit_interval);
  out["receiveIntervalMsec"] = milliseconds(session.receive_interval);
  out["detectMultiplier"] = config.detect_multiplier;
  out["detectionTimeMsec"] =
      static_cast<double>(duration_cast<std::chrono::microseconds>(session.detection_time).count()) / 1000;
  out["polling"] = session.polling;
  out["passive"] = config.role == bfd::Role::Passive;
  out["strict"] = status.strict;
  out["authentication"] = config.key ? Json(bfd::print(config.key->type)) : Json(nullptr);
  out["echo"] = {{"state", print(session.echo)},
                 {"intervalMsec", milliseconds(session.echo_interval)},
                 {"requiredMinRxMsec", milliseconds(config.required_min_echo_rx)}};
  if (session.up_since) {
    out["upAt"] = clock.timestamp(*session.up_since);
    out["uptimeMsec"] = clock.since(*session.up_since);
  }
  if (session.down_since) {
    out["lastDown"] = {{"at", clock.timestamp(*session.down_since)},
                       {"agoMsec", clock.since(*session.down_since)},
                       {"diagnostic", bfd::print(session.last_down)}};
  }
  out["upCount"] = session.times_up;
  out["downCount"] = session.times_down;
  out["packets"] = {{"in", session.packets_in}, {"out", session.packets_out}};
  out["echoPackets"] = {{"in", session.echoes_in}, {"out", session.echoes_out}};
  out["remote"] = remote(session);
  return out;
}

}  // namespace speaker
