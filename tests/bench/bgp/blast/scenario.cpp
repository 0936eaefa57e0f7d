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
  if (options.senders > 0)
    expected_ = options.overlap == Overlap::Disjoint ? options.senders * options.prefixes : options.prefixes;
  prefixes_.add(expected_);
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
    const auto set = attribute_set(disjoint ? i % options_.prefixes : i);
    std::uint8_t best = 0;
    for (auto sender = first; sender < end; ++sender) {
      if (!announces(sender)) continue;
      const auto length =
          path_length(options_, sender, set, sender == 0 && flapped_[i] != 0 ? Path::Longer : Path::Usual);
      if (best == 0 || length < best) best = length;
    }
    want_[i] = best;
    if (best != 0) ++wanted_;
  }
}

std::uint8_t path_length(const Options& options, unsigned sender, std::uint32_t set, Path path) {
  const auto percent = set_hash(options, sender, set) % 100;
  const auto usual = percent < 10 ? 2 : percent < 35 ? 3 : percent < 70 ? 4 : percent < 90 ? 5 : 6;
  return static_cast<std::uint8_t>(usual + (path == Path::Longer ? 1 : 0));
}

void UpdateWriter::announce(std::uint32_t set, std::span<const Prefix> prefixes, Path path) {
  net::Writer out{out_};
  while (!prefixes.empty()) {
    const auto begin = out_.size();
    const Message message{out_, MessageType::Update};
    // What fits beside the attributes, which never need more than this.
    constexpr std::size_t room = max_message_size - 200;
    const auto fill = [&] {
      for (; !prefixes.empty() && out_.size() - begin < room; prefixes = prefixes.subspan(1)) prefix(out, prefixes[0]);
    };
    out.u16(0);
    if (options_.family == net::Family::Ipv4) {
      {
        const auto length = out.length_field_u16();
        attributes(set, path);
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
      attributes(set, path);
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
  net::Writer out{out_};
  const auto hash = set_hash(options_, sender_, set);
  const std::uint8_t origin = (hash >> 8) % 20 == 0 ? 2 : 0;  // INCOMPLETE or IGP
  out.u24(0x40 << 16 | 1 << 8 | 1);
  out.u8(origin);
  as_path(set, path);
  if (options_.family == net::Family::Ipv4) {
    out.u24(0x40 << 16 | 3 << 8 | 4);
    out.address(*net::advance(options_.source, sender_));
  }
  const auto communities = (hash >> 16) % 6;
  if (communities == 0) return;
  out.u16(0xc0 << 8 | 8);
  const auto length = out.length_field_u8();
  for (std::uint64_t i = 0; i < communities; ++i) {
    const auto random = mix(hash ^ (i + 77));
    out.u32((1000 + static_cast<std::uint32_t>(random >> 40) % 60000) << 16 |
            static_cast<std::uint32_t>(random & 0xfff));
  }
}

// The sender's own AS number first, so that receivers know whom a path comes through.
void UpdateWriter::as_path(std::uint32_t set, Path path) {
  net::Writer out{out_};
  const auto hash = set_hash(options_, sender_, set);
  const auto hops = path_length(options_, sender_, set, path);
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

void write_prefixes(const Scenario& scenario, unsigned sender, std::uint32_t count, Path path,
                    std::vector<std::uint8_t>& out) {
  UpdateWriter writer{scenario.options(), sender, out};
  std::vector<Prefix> together;
  for (std::uint32_t n = 0; n < count;) {
    const auto set = scenario.attribute_set(n);
    together.clear();
    for (; n < count && scenario.attribute_set(n) == set; ++n)
      together.push_back(scenario.prefixes()[scenario.index(sender, n)]);
    writer.announce(set, together, path);
  }
}

}  // namespace blast
