// SPDX-License-Identifier: Apache-2.0
#include "bgp/rib/attribute_pool.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <new>
#include <tuple>

#include "bgp/rib/hash.hpp"
#include "bgp/wire/update.hpp"
#include "net/writer.hpp"

namespace bgp {
namespace {

// Tables keep everything that may be passed on to anyone, in four octets.
constexpr EncodeContext canonical{PeerType::Internal, AsnWidth::FourOctets, max_extended_message_size};

std::uint8_t write_next_hop(const NextHop& next_hop, std::vector<std::uint8_t>& out) {
  const auto octets = next_hop.address.bytes();
  out.insert(out.end(), octets.begin(), octets.end());
  if (next_hop.link_local)
    out.insert(out.end(), next_hop.link_local->octets.begin(), next_hop.link_local->octets.end());
  if (next_hop.interface != 0) net::Writer{out}.u32(next_hop.interface);
  return static_cast<std::uint8_t>(out.size());
}

std::uint8_t write_unsent(const PathAttributes& attributes, std::vector<std::uint8_t>& out) {
  if (attributes.link == 0 && attributes.kernel_metric == 0) return 0;
  net::Writer{out}.u32(attributes.link);
  net::Writer{out}.u32(attributes.kernel_metric);
  return 8;
}

std::uint16_t flags_of(const PathAttributes& attributes) {
  unsigned flags = 0;
  if (attributes.local_pref) flags |= AttributeSet::has_local_pref;
  if (attributes.med) flags |= AttributeSet::has_med;
  if (attributes.originator_id || !attributes.cluster_list.empty()) flags |= AttributeSet::reflected;
  if (attributes.aigp) flags |= AttributeSet::accumulates;
  if (attributes.only_to_customer) flags |= AttributeSet::only_to_customer;
  for (const auto community : attributes.communities) {
    if (community == community_no_advertise) flags |= AttributeSet::no_advertise;
    if (community == community_llgr_stale) flags |= AttributeSet::llgr_stale;
    if (community == community_no_export || community == community_no_export_subconfed)
      flags |= AttributeSet::no_export;
    if (community == community_blackhole) flags |= AttributeSet::blackhole;
    if (community == community_no_export_subconfed) flags |= AttributeSet::no_export_subconfed;
  }
  if (std::any_of(attributes.extended_communities.begin(), attributes.extended_communities.end(),
                  [](ExtendedCommunity community) { return link_bandwidth(community).has_value(); }))
    flags |= AttributeSet::weighed;
  return static_cast<std::uint16_t>(flags);
}

void summarise(const PathAttributes& attributes, AttributeSet& set) {
  set.local_pref = attributes.local_pref.value_or(0);
  set.med = attributes.med.value_or(0);
  set.neighbor_as = attributes.as_path.first().value_or(net::Asn{}).value;
  set.path_length = static_cast<std::uint16_t>(std::min(attributes.as_path.length(), 0xffffU));
  set.origin = static_cast<std::uint8_t>(attributes.origin);
  set.flags = flags_of(attributes);
}

}  // namespace

AttributePool::~AttributePool() {
  assert(size_ == 0);
}

SetRef AttributePool::intern(const PathAttributes& attributes) {
  assert(encodable(attributes));
  scratch_.clear();
  const auto next_hop_size = write_next_hop(attributes.next_hop, scratch_);
  encode_attributes(attributes, net::Family::Ipv6, canonical, scratch_);  // as for IPv6: without NEXT_HOP
  const auto size = static_cast<std::uint32_t>(scratch_.size() - next_hop_size);
  const auto unsent_size = write_unsent(attributes, scratch_);

  const auto hash = static_cast<std::uint32_t>(hash_bytes(scratch_, seed_));
  for (auto* set = buckets_.head(hash); set != nullptr; set = set->next) {
    if (set->hash == hash && set->next_hop_size == next_hop_size && set->unsent_size == unsent_size &&
        set->size == size && std::memcmp(set->tail(), scratch_.data(), scratch_.size()) == 0)
      return share(set);
  }

  auto* set = new (::operator new(sizeof(AttributeSet) + scratch_.size())) AttributeSet{};
  summarise(attributes, *set);
  set->references = 1;
  set->hash = hash;
  set->size = size;
  set->next_hop_size = next_hop_size;
  set->unsent_size = unsent_size;
  std::memcpy(set->tail(), scratch_.data(), scratch_.size());

  count_next_hop(*set);
  auto& head = buckets_.head(hash);
  set->next = head;
  head = set;
  bytes_ += sizeof(AttributeSet) + scratch_.size();
  buckets_.grow(
      ++size_, [](const AttributeSet* each) { return each->hash; },
      [](AttributeSet* each) -> AttributeSet*& { return each->next; });
  return {*this, set};
}

// ---- next hops --------------------------------------------------------------------------------------

namespace {

// Whether a way to it has to be looked for.
bool is_searched(const NextHop& next_hop) {
  return next_hop.interface == 0 && !next_hop.address.unspecified() && !next_hop.address.link_local();
}

}  // namespace

void AttributePool::count_next_hop(const AttributeSet& set) {
  const auto next_hop = set.next_hop();
  if (!is_searched(next_hop)) return;
  if (last_next_hop_ == next_hops_.end() || last_next_hop_->first != next_hop.address) {
    bool added = false;
    std::tie(last_next_hop_, added) = next_hops_.try_emplace(next_hop.address, 0);
    next_hops_changed_ |= added;
  }
  ++last_next_hop_->second;
}

void AttributePool::discount_next_hop(const AttributeSet& set) {
  const auto next_hop = set.next_hop();
  if (!is_searched(next_hop)) return;
  if (last_next_hop_ == next_hops_.end() || last_next_hop_->first != next_hop.address)
    last_next_hop_ = next_hops_.find(next_hop.address);
  if (--last_next_hop_->second > 0) return;
  next_hops_.erase(last_next_hop_);
  last_next_hop_ = next_hops_.end();
  next_hops_changed_ = true;
}

std::vector<net::IpAddress> AttributePool::next_hops() const {
  std::vector<net::IpAddress> all;
  all.reserve(next_hops_.size());
  for (const auto& [address, sets] : next_hops_) all.push_back(address);
  return all;
}

void AttributePool::forget(AttributeSet* set) {
  discount_next_hop(*set);
  auto* link = &buckets_.head(set->hash);
  while (*link != set) link = &(*link)->next;
  *link = set->next;
  --size_;
  bytes_ -= sizeof(AttributeSet) + set->tail_size();
  ::operator delete(set);
}

}  // namespace bgp
