// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/bgp/blast/table.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>

#include "net/reader.hpp"
#include "net/writer.hpp"

namespace blast {
namespace {

constexpr std::uint16_t table_dump_v2 = 13;
constexpr std::uint16_t rib_ipv4_unicast = 2, rib_ipv6_unicast = 4;
constexpr std::size_t header_size = 12;

enum Attribute : std::uint8_t { Origin = 1, AsPath = 2, NextHop = 3, LocalPref = 5, MpReach = 14 };
constexpr std::uint8_t extended_length = 0x10;
constexpr std::uint8_t as_set = 1;

std::vector<std::uint8_t> contents(const std::string& file) {
  std::ifstream in{file, std::ios::binary};
  if (!in) throw std::runtime_error{file + " cannot be read"};
  return {std::istreambuf_iterator<char>{in}, {}};
}

// AS numbers that no route of the Internet has (RFC 6996), but daemons and peers of this benchmark.
constexpr bool of_the_bench(std::uint32_t asn) {
  return asn >= 64512 && asn <= 65534;
}

// False for a path with AS 0 or one of the benchmark's, an empty one, and one that is too long to count.
bool count_hops(AttributeSet& set) {
  net::Reader in{set.as_path};
  unsigned hops = 0;
  while (in.remaining() > 0) {
    const auto type = in.u8();
    const unsigned count = in.u8();
    hops += type == as_set ? 1 : count;
    for (unsigned i = 0; i < count; ++i)
      if (const auto asn = in.u32(); asn == 0 || of_the_bench(asn)) return false;
  }
  set.hops = static_cast<std::uint8_t>(std::min(hops, 250U));
  return in.ok() && hops > 0 && hops <= 250;
}

// False when a receiver must not use a route with them.
bool read_attributes(net::Reader in, AttributeSet& set) {
  bool origin = false;
  while (in.remaining() > 0) {
    const auto begin = in.rest();
    const auto flags = in.u8();
    const auto code = in.u8();
    const std::size_t length = (flags & extended_length) != 0 ? in.u16() : in.u8();
    const auto value = in.bytes(length);
    if (!in.ok()) return false;
    origin |= code == Origin;
    if (code == AsPath)
      set.as_path.assign(value.begin(), value.end());
    else if (code != NextHop && code != MpReach && code != LocalPref)
      set.others.insert(set.others.end(), begin.begin(), begin.end() - static_cast<std::ptrdiff_t>(in.remaining()));
  }
  return origin && count_hops(set);
}

class Loader {
 public:
  explicit Loader(net::Family family) : subtype_{family == net::Family::Ipv4 ? rib_ipv4_unicast : rib_ipv6_unicast} {}

  void record(net::Reader in) {
    in.skip(4);
    const auto type = in.u16();
    const auto subtype = in.u16();
    in.skip(4);
    if (type != table_dump_v2 || subtype != subtype_) return;
    in.skip(4);
    Prefix prefix{.bits = 0, .length = in.u8()};
    const auto octets = in.bytes((prefix.length + 7U) / 8);
    if (prefix.length > 64) return;
    for (std::size_t i = 0; i < octets.size(); ++i) prefix.bits |= std::uint64_t{octets[i]} << (56 - 8 * i);
    const auto at = static_cast<std::uint32_t>(prefixes_.size());
    bool used = false;
    for (unsigned left = in.u16(); left > 0 && in.ok(); --left) {
      const auto peer = in.u16();
      in.skip(4);
      AttributeSet set;
      if (!read_attributes(in.sub(in.u16()), set)) continue;
      const auto [found, fresh] = numbers_.emplace(std::move(set), static_cast<std::uint32_t>(numbers_.size()));
      entries_[peer].push_back({at, found->second});
      used = true;
    }
    if (used) prefixes_.push_back(prefix);
  }

  Table table(unsigned senders) && {
    if (entries_.size() < senders) throw std::runtime_error{"has only " + std::to_string(entries_.size()) + " peers"};
    std::vector<const Entries*> peers;
    for (const auto& [peer, entries] : entries_) peers.push_back(&entries);
    std::ranges::stable_sort(peers, std::greater{}, [](const Entries* one) { return one->size(); });

    Table table;
    for (unsigned sender = 0; sender < senders; ++sender) {
      auto& held = table.held.emplace_back(prefixes_.size(), Table::absent);
      for (const auto& [prefix, set] : *peers[sender]) held[prefix] = set;
    }
    table.prefixes = std::move(prefixes_);
    table.sets.resize(numbers_.size());
    for (const auto& [set, number] : numbers_) table.sets[number] = set;
    return table;
  }

 private:
  struct Entry {
    std::uint32_t prefix, set;
  };
  using Entries = std::vector<Entry>;

  std::uint16_t subtype_;
  std::vector<Prefix> prefixes_;
  std::map<AttributeSet, std::uint32_t> numbers_;
  std::map<std::uint16_t, Entries> entries_;  // by peer
};

}  // namespace

Table read_table(const std::string& file, net::Family family, unsigned senders) {
  const auto bytes = contents(file);
  Loader loader{family};
  net::Reader in{bytes};
  while (in.remaining() > 0) {
    net::Reader header{in.rest()};
    header.skip(header_size - 4);
    const auto length = header.u32();
    const auto record = in.sub(header_size + length);
    if (!record.ok()) throw std::runtime_error{file + " ends within a record"};
    loader.record(record);
  }
  try {
    return std::move(loader).table(senders);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error{file + " " + error.what()};
  }
}

}  // namespace blast
