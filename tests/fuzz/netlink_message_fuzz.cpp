// SPDX-License-Identifier: Apache-2.0
// A datagram as from the kernel, to values; and those values into the planner, which must take anything.
#include <cstdint>
#include <span>
#include <variant>

#include "net/match.hpp"
#include "netlink/codec.hpp"
#include "netlink/link_table.hpp"
#include "netlink/reconcile.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace netlink;
  LinkTable links;
  Reconciler reconciler{
      RouteOwner{.ids = {first_nexthop_id, 64}}, std::nullopt, Reporting::Every,
      [&](const auto& gateway, std::uint32_t) {
        const auto* link = links.connected(gateway);
        return link == nullptr ? Resolution{} : Resolution{Reach::Resolved, gateway, link->index, OnLink::No};
      }};
  const NextHop hop{net::Ipv4Address{0x0a000002}, 0, 1};
  reconciler.want(net::Ipv4Prefix::host({0xc0000201}), reconciler.intern({&hop, 1}));

  std::span<const std::uint8_t> datagram{data, size};
  while (const auto raw = next_message(datagram)) {
    (void)decode_acknowledgement(*raw);
    std::visit(net::match{
                   [&](const LinkMessage& message) { (void)links.apply(message); },
                   [&](const AddressMessage& message) { (void)links.apply(message); },
                   [&](const NexthopMessage& message) { reconciler.kernel_says(message); },
                   [&](const RouteMessage& message) { reconciler.kernel_says(message); },
                   [](const std::monostate&) {},
               },
               decode(*raw));
  }
  reconciler.links_changed();
  std::vector<Operation> operations;
  for (int round = 0; round < 20; ++round) {
    reconciler.plan(operations, 100, net::TimePoint{} + round * net::Seconds{1});
    reconciler.complete(operations, {}, net::TimePoint{} + round * net::Seconds{1});
  }
  return 0;
}
