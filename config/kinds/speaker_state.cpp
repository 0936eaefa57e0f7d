// SPDX-License-Identifier: Apache-2.0
// SpeakerState.
#include "config/kinds/kinds.hpp"
#include "config/rules.hpp"

namespace config {
namespace {

SpeakerState::Interface parse_interface(Cursor in) {
  SpeakerState::Interface interface;
  interface.name = in.required("name", word);
  interface.carrier = in.optional("carrier", boolean, false);
  interface.subnets = in.list("subnets", subnet_of_address);
  in.no_other_keys();
  return interface;
}

}  // namespace

SpeakerState parse_speaker_state(Cursor in) {
  SpeakerState state;
  state.meta = parse_meta(in, NamespaceRule::Refused);
  auto spec = in.required_object("spec");
  state.heartbeat = spec.optional("heartbeat", counter, state.heartbeat);
  state.heartbeat_interval = spec.optional("heartbeatInterval", milliseconds, state.heartbeat_interval);
  state.instance = spec.optional("instance", text, std::string{});
  state.interfaces = spec.list("interfaces", parse_interface);
  state.owned = spec.list("owned", ip);
  state.sessions = spec.list("sessions", word);
  state.draining = spec.optional("draining", boolean, false);
  spec.no_other_keys();
  in.no_other_keys();
  return state;
}

nlohmann::json print(const SpeakerState& state) {
  auto out = print_object("herald.dev/v1", "SpeakerState", state.meta);
  auto& spec = out["spec"];
  spec["heartbeat"] = state.heartbeat;
  spec["heartbeatInterval"] = print(state.heartbeat_interval);
  spec["instance"] = state.instance;
  spec["interfaces"] = nlohmann::json::array();
  for (const auto& interface : state.interfaces) {
    nlohmann::json entry = {
        {"name", interface.name}, {"carrier", interface.carrier}, {"subnets", nlohmann::json::array()}};
    for (const auto& subnet : interface.subnets) entry["subnets"].push_back(net::print(subnet));
    spec["interfaces"].push_back(std::move(entry));
  }
  spec["owned"] = nlohmann::json::array();
  for (const auto& address : state.owned) spec["owned"].push_back(net::print(address));
  spec["sessions"] = state.sessions;
  spec["draining"] = state.draining;
  return out;
}

}  // namespace config
