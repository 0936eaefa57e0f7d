// SPDX-License-Identifier: Apache-2.0
#include "bgp/rpki/roa_table.hpp"

#include <algorithm>
#include <iterator>

namespace bgp {
namespace {

std::optional<net::Prefix> shortened(const net::Prefix& prefix, unsigned length) {
  if (prefix.is_v4()) {
    const auto made = net::Ipv4Prefix::make(prefix.v4().address(), length);
    return made ? std::optional{net::Prefix{*made}} : std::nullopt;
  }
  const auto made = net::Ipv6Prefix::make(prefix.v6().address(), length);
  return made ? std::optional{net::Prefix{*made}} : std::nullopt;
}

}  // namespace

std::string_view print(OriginValidity validity) {
  switch (validity) {
    case OriginValidity::NotFound:
      return "not-found";
    case OriginValidity::Valid:
      return "valid";
    case OriginValidity::Invalid:
      break;
  }
  return "invalid";
}

void RoaTable::replace(std::uint32_t cache, std::vector<Vrp> vrps) {
  auto& known = by_cache_[cache];
  if (known == vrps) return;
  std::vector<Vrp> gone;
  std::vector<Vrp> fresh;
  std::set_difference(known.begin(), known.end(), vrps.begin(), vrps.end(), std::back_inserter(gone));
  std::set_difference(vrps.begin(), vrps.end(), known.begin(), known.end(), std::back_inserter(fresh));
  ++version_;
  for (const auto& vrp : gone) drop(vrp);
  for (const auto& vrp : fresh) add(vrp);
  known = std::move(vrps);
  sweep();
}

void RoaTable::remove(std::uint32_t cache) {
  replace(cache, {});
  by_cache_.erase(cache);
}

void RoaTable::add(const Vrp& vrp) {
  auto& entries = entries_[vrp.prefix];
  if (entries.empty()) ++(vrp.prefix.is_v4() ? ipv4_lengths_ : ipv6_lengths_)[vrp.prefix.length()];
  const auto same = std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.is(vrp); });
  if (same != entries.end()) {
    ++same->caches;
    return;
  }
  entries.push_back({vrp.max_length, 1, vrp.asn, version_});
  ++size_;
}

void RoaTable::drop(const Vrp& vrp) {
  const auto found = entries_.find(vrp.prefix);
  if (found == entries_.end()) return;
  auto& entries = found->second;
  const auto same = std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.is(vrp); });
  if (same == entries.end() || --same->caches > 0) return;
  same->until = version_;
  gone_.emplace_back(vrp.prefix, version_);
  --size_;
}

void RoaTable::sweep() {
  while (!snapshots_.empty() && snapshots_.front().expired()) snapshots_.pop_front();
  const auto oldest_snapshot = snapshots_.empty() ? nullptr : snapshots_.front().lock();
  const auto oldest = oldest_snapshot ? oldest_snapshot->version() : version_;
  for (; !gone_.empty() && gone_.front().second <= oldest; gone_.pop_front()) {
    const auto& prefix = gone_.front().first;
    const auto found = entries_.find(prefix);
    if (found == entries_.end()) continue;  // with another of its entries
    std::erase_if(found->second, [&](const Entry& entry) { return entry.until <= oldest; });
    if (!found->second.empty()) continue;
    entries_.erase(found);
    auto& lengths = prefix.is_v4() ? ipv4_lengths_ : ipv6_lengths_;
    if (--lengths[prefix.length()] == 0) lengths.erase(prefix.length());
  }
}

std::shared_ptr<const RoaSnapshot> RoaTable::snapshot() const {
  if (!snapshots_.empty()) {
    auto last = snapshots_.back().lock();
    if (last && last->version() == version_) return last;
  }
  auto fresh = std::make_shared<const RoaSnapshot>(*this, version_);
  snapshots_.push_back(fresh);
  return fresh;
}

OriginValidity RoaTable::validate(const net::Prefix& prefix, std::optional<net::Asn> origin) const {
  return validate_at(version_, prefix, origin);
}

OriginValidity RoaSnapshot::validate(const net::Prefix& prefix, std::optional<net::Asn> origin) const {
  return table_.validate_at(version_, prefix, origin);
}

OriginValidity RoaTable::validate_at(std::uint64_t version, const net::Prefix& prefix,
                                     std::optional<net::Asn> origin) const {
  auto validity = OriginValidity::NotFound;
  for (const auto& [length, count] : prefix.is_v4() ? ipv4_lengths_ : ipv6_lengths_) {
    if (length > prefix.length()) break;
    const auto covering = shortened(prefix, length);
    const auto found = covering ? entries_.find(*covering) : entries_.end();
    if (found == entries_.end()) continue;
    for (const auto& entry : found->second) {
      if (entry.since > version || entry.until <= version) continue;
      validity = OriginValidity::Invalid;  // covered; valid when one of them matches
      if (origin && entry.asn == *origin && entry.asn != net::Asn{0} && prefix.length() <= entry.max_length)
        return OriginValidity::Valid;
    }
  }
  return validity;
}

}  // namespace bgp
