// SPDX-License-Identifier: Apache-2.0
#include "speaker/control/rpki_view.hpp"

#include <algorithm>

namespace speaker {

using Json = nlohmann::ordered_json;

std::vector<CacheStatus> cache_statuses(const RpkiSide& rpki) {
  std::vector<CacheStatus> all;
  for (const auto* client : rpki.caches()) {
    const auto& session = client->session();
    const auto& vrps = session.vrps();  // IPv4 sorts first
    const auto ipv6 = std::ranges::partition_point(vrps, [](const auto& vrp) { return vrp.prefix.is_v4(); });
    all.push_back({.address = client->cache().address,
                   .port = client->cache().port,
                   .synchronized = session.state() == bgp::RtrSession::State::Synchronized,
                   .version = session.version(),
                   .serial = session.serial(),
                   .ipv4_payloads = static_cast<std::size_t>(ipv6 - vrps.begin()),
                   .ipv6_payloads = static_cast<std::size_t>(vrps.end() - ipv6),
                   .trouble = client->trouble()});
  }
  return all;
}

Json view(const std::vector<CacheStatus>& caches, std::size_t payloads) {
  Json out{{"payloads", payloads}, {"caches", Json::array()}};
  for (const auto& status : caches) {
    Json cache{{"address", net::print(status.address)},
               {"port", status.port},
               {"synchronized", status.synchronized},
               {"protocolVersion", status.version},
               {"payloads", status.ipv4_payloads + status.ipv6_payloads},
               {"ipv4Payloads", status.ipv4_payloads},
               {"ipv6Payloads", status.ipv6_payloads}};
    if (status.serial) cache["serial"] = *status.serial;
    if (!status.trouble.empty()) cache["trouble"] = status.trouble;
    out["caches"].push_back(std::move(cache));
  }
  return out;
}

}  // namespace speaker
