// SPDX-License-Identifier: Apache-2.0
// The codec on messages as they come from a full table: a path of five, three communities, eight prefixes.
#include <vector>

#include <benchmark/benchmark.h>

#include "bgp/wire/text.hpp"
#include "bgp/wire/update.hpp"

namespace {

using Bytes = std::vector<std::uint8_t>;

template <class Prefix>
constexpr net::Family family = std::is_same_v<Prefix, net::Ipv4Prefix> ? net::Family::Ipv4 : net::Family::Ipv6;

bgp::PathAttributes typical() {
  bgp::PathAttributes attributes;
  attributes.as_path = *bgp::parse_as_path("65001 3356 1299 6453 64500");
  attributes.next_hop.address = *net::parse_ip("192.0.2.1");
  attributes.med = 10;
  attributes.communities = {*bgp::parse_community("3356:100"), *bgp::parse_community("3356:123"),
                            *bgp::parse_community("3356:575")};
  return attributes;
}

const bgp::NextHop next_hop_ipv6{*net::parse_ip("2001:db8::1"), std::nullopt};

template <class Prefix>
std::vector<Prefix> prefixes(std::size_t count) {
  std::vector<Prefix> all;
  for (std::uint32_t i = 0; i < count; ++i) {
    if constexpr (family<Prefix> == net::Family::Ipv4)
      all.push_back(*Prefix::make({0x0a000000U + (i << 8)}, 24));
    else
      all.push_back(*Prefix::make(
          {{0x20, 0x01, 0x0d, 0xb8, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}}, 48));
  }
  return all;
}

Bytes attributes_for(net::Family of) {
  Bytes out;
  bgp::encode_attributes(typical(), of, {}, out);
  return out;
}

template <class Prefix>
Bytes update_body(std::size_t count) {
  const auto all = prefixes<Prefix>(count);
  const auto attributes = attributes_for(family<Prefix>);
  Bytes out;
  bgp::encode_reachable(std::span<const std::uint8_t>{attributes}, next_hop_ipv6, std::span<const Prefix>{all},
                        bgp::max_extended_message_size, out);
  out.erase(out.begin(), out.begin() + bgp::header_size);
  return out;
}

template <class Prefix>
void decode_update(benchmark::State& state) {
  const auto body = update_body<Prefix>(static_cast<std::size_t>(state.range(0)));
  const bgp::UpdateContext context{.peer_asn = net::Asn{65001}};
  for (auto _ : state) {
    const auto update = bgp::decode_update(body, context);
    std::uint64_t sum = 0;
    for (const auto& run : update->reachable)
      bgp::for_each_prefix<Prefix>(run.bytes, [&](const Prefix& prefix) { sum += std::hash<Prefix>{}(prefix); });
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(decode_update<net::Ipv4Prefix>)->Arg(1)->Arg(8)->Arg(900);
BENCHMARK(decode_update<net::Ipv6Prefix>)->Arg(1)->Arg(8)->Arg(500);

void decode_attributes_only(benchmark::State& state) {
  const auto bytes = attributes_for(net::Family::Ipv4);
  for (auto _ : state) benchmark::DoNotOptimize(bgp::decode_canonical_attributes(bytes));
}
BENCHMARK(decode_attributes_only);

template <class Prefix>
void walk_prefixes(benchmark::State& state) {
  Bytes run;
  for (const auto& prefix : prefixes<Prefix>(1000)) bgp::encode_prefix(prefix, run);
  for (auto _ : state) {
    unsigned sum = 0;
    bgp::for_each_prefix<Prefix>(run, [&](const Prefix& prefix) {
      benchmark::DoNotOptimize(prefix);
      sum += prefix.length();
    });
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(state.iterations() * 1000);
}
BENCHMARK(walk_prefixes<net::Ipv4Prefix>);
BENCHMARK(walk_prefixes<net::Ipv6Prefix>);

void encode_attributes(benchmark::State& state) {
  const auto attributes = typical();
  Bytes out;
  for (auto _ : state) {
    out.clear();
    bgp::encode_attributes(attributes, net::Family::Ipv4, {}, out);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(encode_attributes);

template <class Prefix>
void encode_reachable(benchmark::State& state) {
  const auto all = prefixes<Prefix>(static_cast<std::size_t>(state.range(0)));
  const auto attributes = attributes_for(family<Prefix>);
  Bytes out;
  std::size_t fitted = 0;
  for (auto _ : state) {
    out.clear();
    fitted = bgp::encode_reachable(std::span<const std::uint8_t>{attributes}, next_hop_ipv6,
                                   std::span<const Prefix>{all}, bgp::max_message_size, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(fitted));
}
BENCHMARK(encode_reachable<net::Ipv4Prefix>)->Arg(8)->Arg(2000);
BENCHMARK(encode_reachable<net::Ipv6Prefix>)->Arg(8)->Arg(2000);

}  // namespace

BENCHMARK_MAIN();
