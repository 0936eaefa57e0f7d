// SPDX-License-Identifier: Apache-2.0
#include "speaker/control/watch_view.hpp"

namespace speaker {

using Json = nlohmann::ordered_json;

namespace {

Json what(const bgp::bmp::FeedConfig& feed) {
  auto out = Json::array();
  if (feed.pre_policy) out.push_back("pre-policy");
  if (feed.post_policy) out.push_back("post-policy");
  if (feed.adj_rib_out) out.push_back("adj-rib-out");
  if (feed.loc_rib) out.push_back("loc-rib");
  if (feed.malformed) out.push_back("malformed");
  return out;
}

}  // namespace

Json view(const std::vector<StationStatus>& stations, const WallClock& clock) {
  auto out = Json::array();
  for (const auto& station : stations) {
    Json entry{{"address", net::print(station.config.address)},
               {"port", station.config.port},
               {"what", what(station.config.feed)},
               {"connected", station.connected}};
    if (station.connected) {
      entry["tablesComplete"] = !station.walking;
      if (station.since) entry["uptimeMsec"] = clock.since(*station.since);
      entry["waitingOctets"] = station.waiting;
    } else if (!station.trouble.empty()) {
      entry["trouble"] = station.trouble;
    }
    entry["connections"] = station.connections;
    entry["overflows"] = station.overflows;
    entry["messages"] = station.messages;
    entry["octets"] = station.bytes;
    out.push_back(std::move(entry));
  }
  return out;
}

Json view(const MrtStatus& status) {
  Json out{{"directory", status.config.directory}, {"dumping", status.dumping}, {"tables", status.tables}};
  if (!status.table_file.empty()) {
    out["lastTable"] = {{"file", status.table_file}, {"prefixes", status.table_prefixes}};
    if (!status.table_error.empty()) out["lastTable"]["error"] = status.table_error;
  }
  if (status.config.updates) {
    out["updates"] = {
        {"file", status.updates_file}, {"records", status.records}, {"droppedOctets", status.dropped_octets}};
  }
  if (!status.trouble.empty()) out["trouble"] = status.trouble;
  return out;
}

}  // namespace speaker
