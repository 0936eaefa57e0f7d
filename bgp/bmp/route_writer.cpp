// SPDX-License-Identifier: Apache-2.0
#include "bgp/bmp/route_writer.hpp"

#include <algorithm>

namespace bgp::bmp {
namespace {

// Prefixes that wait for company; more than a message of 4,096 octets holds are not worth it.
constexpr std::size_t longest_run = 1024;
// Views with something waiting; so many that looking for one stays cheap.
constexpr std::size_t most_runs = 32;

bool same_key(std::span<const std::uint8_t> key, const AttributeSet& set) {
  const std::span whole{set.tail(), std::size_t{set.next_hop_size} + set.size};
  return std::equal(key.begin(), key.end(), whole.begin(), whole.end());
}

}  // namespace

RouteWriter::Run& RouteWriter::run_for(const Place& place, net::Family family) {
  const auto found = std::find_if(runs_.begin(), runs_.end(), [&](const Run& run) {
    return run.place.peer == place.peer && run.place.view == place.view && run.family == family && run.size() > 0;
  });
  if (found != runs_.end()) return *found;
  const auto unused = std::find_if(runs_.begin(), runs_.end(), [](const Run& run) { return run.size() == 0; });
  if (unused != runs_.end()) {
    unused->family = family;
    return *unused;
  }
  if (runs_.size() == most_runs) {
    flush();
    runs_.front().family = family;
    return runs_.front();
  }
  runs_.emplace_back().family = family;
  return runs_.back();
}

void RouteWriter::begin(Run& run, const Place& place, bool withdrawn, WallTime now) {
  write(run);
  run.place = place;
  run.withdrawn = withdrawn;
  run.time = now;
  run.key.clear();
  run.attributes.clear();
}

void RouteWriter::add(Run& run, const net::Prefix& prefix) {
  if (prefix.is_v4())
    run.ipv4.push_back(prefix.v4());
  else
    run.ipv6.push_back(prefix.v6());
}

void RouteWriter::announce(const Place& place, const net::Prefix& prefix, const AttributeSet& set, Form form,
                           WallTime now) {
  auto& run = run_for(place, prefix.family());
  const bool joins = run.size() > 0 && run.size() < longest_run && !run.withdrawn &&
                     run.place.path_id == place.path_id && same_key(run.key, set);
  if (!joins) {
    begin(run, place, false, now);
    run.key.assign(set.tail(), set.tail() + set.next_hop_size + set.size);
    const auto attributes = set.attributes();
    run.next_hop = attributes.next_hop;
    encode_attributes(attributes, prefix.family(), {form.type, form.width}, run.attributes);
  }
  add(run, prefix);
}

void RouteWriter::announce(const Place& place, const net::Prefix& prefix, const PathAttributes& attributes, Form form,
                           WallTime now) {
  auto& run = run_for(place, prefix.family());
  begin(run, place, false, now);
  run.next_hop = attributes.next_hop;
  encode_attributes(attributes, prefix.family(), {form.type, form.width}, run.attributes);
  add(run, prefix);
}

void RouteWriter::withdraw(const Place& place, const net::Prefix& prefix, WallTime now) {
  auto& run = run_for(place, prefix.family());
  if (run.size() == 0 || run.size() >= longest_run || !run.withdrawn || run.place.path_id != place.path_id)
    begin(run, place, true, now);
  add(run, prefix);
}

void RouteWriter::flush() {
  for (auto& run : runs_) write(run);
}

void RouteWriter::flush(PeerId peer) {
  for (auto& run : runs_) {
    if (run.place.peer == peer) write(run);
  }
}

void RouteWriter::write(Run& run) {
  if (run.size() == 0) return;
  if (run.family == net::Family::Ipv4)
    write_all(run, std::span<const net::Ipv4Prefix>{run.ipv4});
  else
    write_all(run, std::span<const net::Ipv6Prefix>{run.ipv6});
  run.ipv4.clear();
  run.ipv6.clear();
}

template <class Prefix>
void RouteWriter::write_all(const Run& run, std::span<const Prefix> prefixes) {
  const auto encode = [&](std::size_t limit) {
    if (run.withdrawn) return encode_withdrawn(prefixes, limit, message_, run.place.path_id);
    return encode_reachable(std::span<const std::uint8_t>{run.attributes}, run.next_hop, prefixes, limit, message_,
                            run.place.path_id);
  };
  while (!prefixes.empty()) {
    message_.clear();
    auto done = encode(max_message_size);
    // Attributes that came in an extended message (RFC 8654).
    if (done == 0) done = encode(max_extended_message_size);
    if (done == 0) return;  // attributes of 64 KiB leave no room for a prefix
    write_(run.place.peer, run.place.view, run.time, message_);
    prefixes = prefixes.subspan(done);
  }
}

}  // namespace bgp::bmp
