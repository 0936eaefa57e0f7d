// SPDX-License-Identifier: Apache-2.0
#include "bgp/rib/update_writer.hpp"

#include <algorithm>
#include <tuple>

#include "bgp/rib/attribute_set.hpp"

namespace bgp {

template <class Prefix>
bool UpdateWriter<Prefix>::sends(const Prefix& prefix, const Path& path) {
  if (exporter_->per_prefix()) return exporter_->gate(prefix, path, rank_of(path)) == ExportGate::Sent;
  auto& known = known_[(reinterpret_cast<std::uintptr_t>(path.set) >> 4) % known_.size()];
  if (known.round != round_ || known.set != path.set || known.source != path.source || known.audience != path.audience)
    known = {path.set, path.source, path.audience, exporter_->gate(prefix, path, rank_of(path)) == ExportGate::Sent,
             round_};
  return known.sent;
}

template <class Prefix>
bool UpdateWriter<Prefix>::same_outcome(const Prefix& prefix, const Path& one, const Path& other) const {
  if (one.same_route(other)) return true;
  // What cannot end in equal attributes is not worth the comparison.
  if (one.set->path_length != other.set->path_length || one.set->origin != other.set->origin) return false;
  return exporter_->evaluate(prefix, one, rank_of(one)).attributes ==
         exporter_->evaluate(prefix, other, rank_of(other)).attributes;
}

template <class Prefix>
void UpdateWriter<Prefix>::find_runs(std::span<const Route> routes) {
  runs_.clear();
  for (std::uint32_t i = 0; i < routes.size(); ++i) {
    const auto& path = routes[i].path;
    if (!runs_.empty() && runs_.back().set == path.set && runs_.back().source == path.source)
      runs_.back().end = i + 1;
    else
      runs_.push_back({path.source, path.set->hash, path.set, i, i + 1});
  }
  const auto key = [](const Run& run) { return std::tie(run.source, run.hash, run.set, run.begin); };
  const auto less = [&](const Run& one, const Run& other) { return key(one) < key(other); };
  if (!std::is_sorted(runs_.begin(), runs_.end(), less)) std::sort(runs_.begin(), runs_.end(), less);
}

template <class Prefix>
std::span<const typename UpdateWriter<Prefix>::Part> UpdateWriter<Prefix>::announce(std::span<const Route> routes,
                                                                                    std::vector<std::uint8_t>& out) {
  find_runs(routes);
  parts_.clear();
  for (std::size_t at = 0; at < runs_.size();) {
    if (parts_.empty() || parts_.back().source != runs_[at].source)
      parts_.push_back({runs_[at].source, out.size(), 0, 0});
    at = announce_set(routes, at, out, parts_.back().messages);
    parts_.back().end = out.size();
  }
  return parts_;
}

template <class Prefix>
std::size_t UpdateWriter<Prefix>::announce_set(std::span<const Route> routes, std::size_t at,
                                               std::vector<std::uint8_t>& out, std::size_t& messages) {
  const auto first = runs_[at];
  for (; at < runs_.size() && runs_[at].set == first.set && runs_[at].source == first.source; ++at) {
    for (auto i = runs_[at].begin; i < runs_[at].end; ++i) {
      if (prefixes_.empty() || exporter_->per_prefix()) {
        encode(routes[i]);
        if (!(candidate_ == current_)) {
          flush(out, messages);
          std::swap(candidate_, current_);
        }
      }
      prefixes_.push_back(routes[i].prefix);
    }
  }
  flush(out, messages);
  return at;
}

template <class Prefix>
void UpdateWriter<Prefix>::encode(const Route& route) {
  const auto outcome = exporter_->evaluate(route.prefix, route.path, rank_of(route.path));
  candidate_.attributes.clear();
  exporter_->encode(outcome.attributes, candidate_.attributes);
  candidate_.next_hop = outcome.attributes.next_hop;
}

template <class Prefix>
void UpdateWriter<Prefix>::flush(std::vector<std::uint8_t>& out, std::size_t& messages) {
  auto rest = std::span<const Prefix>{prefixes_};
  const auto limit = exporter_->terms().message_limit;
  while (!rest.empty()) {
    const auto fitted =
        encode_reachable(current_.attributes, current_.next_hop, rest, limit, out, exporter_->path_id());
    if (fitted == 0) break;  // sends() is false for such routes
    rest = rest.subspan(fitted);
    ++messages;
  }
  prefixes_.clear();
}

template <class Prefix>
std::size_t UpdateWriter<Prefix>::withdraw(std::span<const Prefix> prefixes, std::vector<std::uint8_t>& out) {
  std::size_t messages = 0;
  while (!prefixes.empty()) {
    prefixes =
        prefixes.subspan(encode_withdrawn(prefixes, exporter_->terms().message_limit, out, exporter_->path_id()));
    ++messages;
  }
  return messages;
}

template class UpdateWriter<net::Ipv4Prefix>;
template class UpdateWriter<net::Ipv6Prefix>;

}  // namespace bgp
