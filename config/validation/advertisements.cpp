// SPDX-License-Identifier: Apache-2.0
// Advertisements: what they refer to, and two that give one prefix different attributes.
#include <optional>

#include <nlohmann/json.hpp>

#include "config/selects_pool.hpp"
#include "config/validation/judge.hpp"

namespace config {
namespace {

// A name of nothing makes an advertisement smaller, never wider: the list it stands in is not empty.
template <class Advertisement>
void check_pools(Judge& judge, const Advertisement& ad) {
  for (const auto& name : ad.ip_address_pools)
    if (!judge.has<IPAddressPool>(name)) judge.note(ad, "spec.ipAddressPools", missing("IPAddressPool", name));
}

// An aggregate must lie within what the pool's entry covers, or it draws traffic for foreign addresses.
void check_aggregation(Judge& judge, const BGPAdvertisement& ad, const IPAddressPool& pool) {
  for (const auto& range : pool.addresses) {
    const bool v4 = range.family() == net::Family::Ipv4;
    const unsigned length = v4 ? ad.aggregation_length : ad.aggregation_length_v6;
    const auto prefixes = range.prefixes();
    const auto shortest = std::ranges::min(prefixes, {}, &net::Prefix::length);
    if (length >= shortest.length()) continue;
    judge.set_aside(
        ad, v4 ? "spec.aggregationLength" : "spec.aggregationLengthV6",
        std::to_string(length) + " is shorter than any part of " + net::print(range) + " in " + judge.cite(pool));
    return;
  }
}

bool share_a_peer(const BGPAdvertisement& left, const BGPAdvertisement& right) {
  return left.peers.empty() || right.peers.empty() || std::ranges::any_of(left.peers, [&](const std::string& peer) {
           return std::ranges::find(right.peers, peer) != right.peers.end();
         });
}

// What both announce: a pool cut the same way, or a prefix of its own. For messages.
std::optional<std::string> common_prefixes(const Judge& judge, const BGPAdvertisement& left,
                                           const BGPAdvertisement& right) {
  for (const auto& prefix : left.prefixes)
    if (std::ranges::find(right.prefixes, prefix) != right.prefixes.end()) return net::print(prefix);
  // Which services both select is not known before the services are.
  if (left.service_selectors != right.service_selectors) return std::nullopt;
  for (const auto* pool : judge.sound_pools) {
    if (!selects_pool(left, *pool) || !selects_pool(right, *pool)) continue;
    for (const auto& range : pool->addresses) {
      const bool v4 = range.family() == net::Family::Ipv4;
      if (v4 ? left.aggregation_length == right.aggregation_length
             : left.aggregation_length_v6 == right.aggregation_length_v6)
        return judge.title(*pool);
    }
  }
  return std::nullopt;
}

// The older one stays.
void check_pair(Judge& judge, const BGPAdvertisement& older, const BGPAdvertisement& newer) {
  if (print(Object{older})["spec"] == print(Object{newer})["spec"])
    return judge.set_aside(newer, "spec", "says the same as " + judge.cite(older));
  struct Attribute {
    const char* field;
    std::optional<std::uint32_t> older;
    std::optional<std::uint32_t> newer;
  };
  const Attribute attributes[] = {{"spec.localPref", older.local_pref, newer.local_pref},
                                  {"spec.med", older.med, newer.med}};
  const auto* conflict = std::ranges::find_if(
      attributes, [](const Attribute& it) { return it.older && it.newer && it.older != it.newer; });
  if (conflict == std::end(attributes)) return;
  if (!share_a_peer(older, newer) || !judge.share_a_node(older.node_selectors, newer.node_selectors)) return;
  if (const auto common = common_prefixes(judge, older, newer))
    judge.set_aside(newer, conflict->field,
                    std::to_string(*conflict->newer) + " contradicts " + std::to_string(*conflict->older) + " of " +
                        judge.cite(older) + ": both announce " + *common + " to the same peers");
}

}  // namespace

void Judge::advertisements() {
  for (const auto* ad : by_age<BGPAdvertisement>()) {
    check_pools(*this, *ad);
    for (const auto& peer : ad->peers)
      if (!has<BGPPeer>(peer)) note(*ad, "spec.peers", missing("BGPPeer", peer));
    // Announced without its community a route may go where it must not.
    for (const auto& alias : unknown_aliases(ad->communities))
      set_aside(*ad, "spec.communities", "no Community defines " + alias);
    for (const auto* pool : sound_pools)
      if (!is_set_aside(*ad) && selects_pool(*ad, *pool)) check_aggregation(*this, *ad, *pool);
  }
  const auto sound = by_age<BGPAdvertisement>();
  for (std::size_t newer = 0; newer < sound.size(); ++newer)
    for (std::size_t older = 0; older < newer; ++older)
      if (!is_set_aside(*sound[older]) && !is_set_aside(*sound[newer])) check_pair(*this, *sound[older], *sound[newer]);

  for (const auto* ad : by_age<L2Advertisement>()) check_pools(*this, *ad);
}

}  // namespace config
