// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/bgp/blast/scenario.hpp"

#include <algorithm>

#include "net/writer.hpp"
#include "tests/bench/bgp/blast/message.hpp"

namespace blast {
namespace {

std::uint64_t set_hash(const Options& options, unsigned sender, std::uint32_t set) {
  return mix(mix(options.seed + sender * 0x9e3779b9ULL) ^ set);
}

void prefix(net::Writer& out, Prefix prefix) {
  out.u8(prefix.length);
  for (unsigned i = 0; i < (prefix.length + 7U) / 8; ++i)
    out.u8(static_cast<std::uint8_t>(prefix.bits >> (56 - 8 * i)));
}

// Half of the AS numbers fit into two octets.
std::uint32_t some_asn(std::uint64_t random) {
  const auto value = static_cast<std::uint32_t>(random >> 8);
  return (random & 1) != 0 ? 1000 + value % 60000 : 131072 + value % 270000;
}

}  // namespace

Scenario::Scenario(const Options& options)
    : options_{options}, prefixes_{options.family, options.seed}, alive_(std::max(options.senders, 1U), 1) {
  if (!options.table.empty()) {
    table_ = read_table(options.table, options.family, options.senders);
    options_.prefixes = static_cast<std::uint32_t>(table_->prefixes.size());
    prefixes_.add(table_->prefixes);
  }
  if (options.senders > 0)
    expected_ = options.overlap == Overlap::Disjoint ? options.senders * options_.prefixes : options_.prefixes;
  if (!table_) prefixes_.add(expected_);
  prefixes_.add_probes(options.probes);
  prefixes_.build_index();
  want_.assign(expected_, 0);
  flapped_.assign(expected_, 0);
  settle();
}

// While probes are measured under load, the first sender has nothing but probes.
bool Scenario::announces(unsigned sender) const {
  return sender < options_.senders && alive_[sender] != 0 && (sender > 0 || options_.probing == Probing::Quiet);
}

void Scenario::flap(std::uint32_t count) {
  std::fill_n(flapped_.begin(), count, std::uint8_t{1});
}
void Scenario::lose_first_sender() {
  alive_[0] = 0;
}

void Scenario::settle() {
  wanted_ = 0;
  for (std::uint32_t i = 0; i < expected_; ++i) {
    const bool disjoint = options_.overlap == Overlap::Disjoint;
    const auto first = disjoint ? i / options_.prefixes : 0;
    const auto end = disjoint ? first + 1 : options_.senders;
    std::uint8_t best = 0;
    for (auto sender = first; sender < end; ++sender) {
      const auto set = attribute_set(sender, disjoint ? i % options_.prefixes : i);
      if (!set || !announces(sender)) continue;
      const auto length = path_length(sender, *set, sender == 0 && flapped_[i] != 0 ? Path::Longer : Path::Usual);
      if (best == 0 || length < best) best = length;
    }
    want_[i] = best;
    if (best != 0) ++wanted_;
  }
}

std::optional<std::uint32_t> Scenario::attribute_set(unsigned sender, std::uint32_t n) const {
  if (!table_) return static_cast<std::uint32_t>(std::uint64_t{n} * options_.attribute_sets / options_.prefixes);
  const auto set = table_->held[sender][n];
  return set == Table::absent ? std::nullopt : std::optional{set};
}

std::uint8_t Scenario::path_length(unsigned sender, std::uint32_t set, Path path) const {
  const auto percent = set_hash(options_, sender, set) % 100;
  const auto made = percent < 10 ? 2 : percent < 35 ? 3 : percent < 70 ? 4 : percent < 90 ? 5 : 6;
  const auto usual = table_ ? table_->sets[set].hops + 1 : made;
  return static_cast<std::uint8_t>(usual + (path == Path::Longer ? 1 : 0));
}

void UpdateWriter::announce(std::uint32_t set, std::span<const Prefix> prefixes, Path path) {
  net::Writer out{out_};
  attributes(set, path);
  // Beside the attributes: the header, lengths, MP_REACH_NLRI's own fields, and the last prefix.
  const std::size_t room = max_message_size - attributes_.size() - 64;
  while (!prefixes.empty()) {
    const Message message{out_, MessageType::Update};
    const auto fill = [&] {
      for (const auto begin = out_.size(); !prefixes.empty() && out_.size() - begin < room;
           prefixes = prefixes.subspan(1))
        prefix(out, prefixes[0]);
    };
    out.u16(0);
    if (options_.family == net::Family::Ipv4) {
      {
        const auto length = out.length_field_u16();
        out.bytes(attributes_);
      }
      fill();
    } else {
      const auto length = out.length_field_u16();
      out.u8(0x90);
      out.u8(14);
      {
        const auto reach = out.length_field_u16();
        out.u24(2 << 8 | 1);
        out.u8(16);
        out.address(*net::advance(options_.next_hop_ipv6, sender_));
        out.u8(0);
        fill();
      }
      out.bytes(attributes_);
    }
  }
}

void UpdateWriter::withdraw(Prefix gone) {
  net::Writer out{out_};
  const Message message{out_, MessageType::Update};
  if (options_.family == net::Family::Ipv4) {
    {
      const auto length = out.length_field_u16();
      prefix(out, gone);
    }
    out.u16(0);
    return;
  }
  out.u16(0);
  const auto length = out.length_field_u16();
  out.u8(0x90);
  out.u8(15);
  const auto unreach = out.length_field_u16();
  out.u24(2 << 8 | 1);
  prefix(out, gone);
}

void UpdateWriter::end_of_rib() {  // RFC 4724 section 2
  net::Writer out{out_};
  const Message message{out_, MessageType::Update};
  out.u16(0);
  const auto length = out.length_field_u16();
  if (options_.family == net::Family::Ipv4) return;
  out.u24(0x80 << 16 | 15 << 8 | 3);
  out.u24(2 << 8 | 1);
}

void UpdateWriter::attributes(std::uint32_t set, Path path) {
  attributes_.clear();
  net::Writer out{attributes_};
  const auto* real = scenario_.table() ? &scenario_.table()->sets[set] : nullptr;
  if (real == nullptr) {
    const std::uint8_t origin = (set_hash(options_, sender_, set) >> 8) % 20 == 0 ? 2 : 0;  // INCOMPLETE or IGP
    out.u24(0x40 << 16 | 1 << 8 | 1);
    out.u8(origin);
    as_path(out, set, path);
  } else {
    real_path(out, *real, path);
  }
  if (options_.family == net::Family::Ipv4) {
    out.u24(0x40 << 16 | 3 << 8 | 4);
    out.address(*net::advance(options_.source, sender_));
  }
  if (real == nullptr)
    communities(out, set);
  else
    out.bytes(real->others);
}

void UpdateWriter::communities(net::Writer& out, std::uint32_t set) {
  const auto hash = set_hash(options_, sender_, set);
  const auto count = (hash >> 16) % 6;
  if (count == 0) return;
  out.u16(0xc0 << 8 | 8);
  const auto length = out.length_field_u8();
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto random = mix(hash ^ (i + 77));
    out.u32((1000 + static_cast<std::uint32_t>(random >> 40) % 60000) << 16 |
            static_cast<std::uint32_t>(random & 0xfff));
  }
}

// The sender's own AS number first, so that receivers know whom a path comes through.
void UpdateWriter::as_path(net::Writer& out, std::uint32_t set, Path path) {
  const auto hash = set_hash(options_, sender_, set);
  const auto hops = scenario_.path_length(sender_, set, path);
  out.u16(0x40 << 8 | 2);
  const auto length = out.length_field_u8();
  out.u8(2);
  out.u8(hops);
  for (unsigned hop = 0; hop < hops; ++hop) {
    const bool own = hop == 0 || (path == Path::Longer && hop == 1);
    const bool origin = hop + 1U == hops;
    out.u32(own ? options_.first_asn + sender_ : some_asn(origin ? mix(options_.seed ^ set) : mix(hash + hop)));
  }
}

// The same for a path that was read, in a segment of its own.
void UpdateWriter::real_path(net::Writer& out, const AttributeSet& set, Path path) {
  const std::uint8_t own = path == Path::Longer ? 2 : 1;
  out.u16(0x50 << 8 | 2);
  const auto length = out.length_field_u16();
  out.u8(2);
  out.u8(own);
  for (unsigned i = 0; i < own; ++i) out.u32(options_.first_asn + sender_);
  out.bytes(set.as_path);
}

void write_prefixes(const Scenario& scenario, unsigned sender, std::uint32_t count, Path path,
                    std::vector<std::uint8_t>& out) {
  UpdateWriter writer{scenario, sender, out};
  std::vector<Prefix> together;
  for (std::uint32_t n = 0; n < count;) {
    const auto set = scenario.attribute_set(sender, n);
    together.clear();
    for (; n < count && scenario.attribute_set(sender, n) == set; ++n)
      together.push_back(scenario.prefixes()[scenario.index(sender, n)]);
    if (set) writer.announce(*set, together, path);
  }
}

}  // namespace blast
