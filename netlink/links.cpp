// SPDX-License-Identifier: Apache-2.0
#include "netlink/links.hpp"

#include <cerrno>
#include <set>
#include <system_error>
#include <variant>

namespace netlink {
namespace {

void collect_differences(const LinkTable& before, const LinkTable& after, std::set<std::uint32_t>& out) {
  for (const auto& [index, link] : before.links()) {
    const auto* now = after.find(index);
    if (now == nullptr || !(*now == link)) out.insert(index);
  }
  for (const auto& [index, link] : after.links()) {
    if (before.find(index) == nullptr) out.insert(index);
  }
}

}  // namespace

net::Result<void, KernelError> read_links(CommandSocket& socket, LinkTable& table) {
  auto fresh = table;
  const auto take = [&](const RawMessage& raw) {
    const auto message = decode(raw);
    if (const auto* link = std::get_if<LinkMessage>(&message)) (void)fresh.apply(*link);
    if (const auto* address = std::get_if<AddressMessage>(&message)) (void)fresh.apply(*address);
  };
  fresh.begin_dump();
  Batch request;
  encode_link_dump(request);
  auto done = socket.ask(request, take);
  for (const auto family : {net::Family::Ipv4, net::Family::Ipv6}) {
    if (!done) return done;
    encode_address_dump(request, family);
    done = socket.ask(request, take);
    // A kernel without IPv6 has no such addresses.
    if (!done && done.error().number == EOPNOTSUPP) done = {};
  }
  if (!done) return done;
  fresh.end_dump();
  table = std::move(fresh);
  return {};
}

Links::Links(std::size_t receive_buffer) : events_{{Topic::Links, Topic::Addresses}, 0, receive_buffer} {
  if (const auto done = read_links(commands_, table_); !done)
    throw std::system_error{done.error().number, std::generic_category(), "cannot read the links"};
}

std::vector<std::uint32_t> Links::read() {
  std::set<std::uint32_t> changed;
  const auto note = [&](LinkTable::Effect effect, std::uint32_t index) {
    if (effect == LinkTable::Effect::Changed) changed.insert(index);
  };
  const auto take = [&](const RawMessage& raw) {
    const auto message = decode(raw);
    if (const auto* link = std::get_if<LinkMessage>(&message)) note(table_.apply(*link), link->index);
    if (const auto* address = std::get_if<AddressMessage>(&message)) note(table_.apply(*address), address->interface);
  };
  Received received;
  while ((received = events_.read(take)) == Received::More) {
  }
  if (received == Received::Overrun) {
    ++overruns_;
    behind_ = true;
    while (events_.read([](const RawMessage&) {}) == Received::More) {  // the dump knows better
    }
  }
  if (behind_) {
    const auto before = table_;
    behind_ = !read_links(commands_, table_).has_value();
    collect_differences(before, table_, changed);
  }
  return {changed.begin(), changed.end()};
}

}  // namespace netlink
