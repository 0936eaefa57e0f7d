// SPDX-License-Identifier: Apache-2.0
#include "netlink/link_table.hpp"

#include <algorithm>
#include <utility>

#include <linux/if.h>
#include <linux/if_addr.h>

namespace netlink {
namespace {

// The kernel tells addresses of one link apart by these three.
bool same_address(const InterfaceAddress& a, const InterfaceAddress& b) {
  return a.address == b.address && a.length == b.length && a.peer == b.peer;
}

InterfaceAddress from(const AddressMessage& message) {
  return {message.address,  message.peer,  message.length, message.scope,
          message.protocol, message.flags, message.metric};
}

}  // namespace

net::Prefix InterfaceAddress::subnet() const {
  return *net::Prefix::make(peer, length);
}
bool InterfaceAddress::tentative() const {
  return (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) != 0 && (flags & IFA_F_OPTIMISTIC) == 0;
}
bool InterfaceAddress::deprecated() const {
  return (flags & IFA_F_DEPRECATED) != 0;
}
bool InterfaceAddress::secondary() const {
  return address.is_v4() && (flags & IFA_F_SECONDARY) != 0;
}

bool Link::up() const {
  return (flags & IFF_UP) != 0;
}
bool Link::carrier() const {
  return (flags & IFF_LOWER_UP) != 0;
}
bool Link::loopback() const {
  return (flags & IFF_LOOPBACK) != 0;
}
bool Link::noarp() const {
  return (flags & IFF_NOARP) != 0;
}
bool Link::multicast() const {
  return (flags & IFF_MULTICAST) != 0;
}
bool Link::point_to_point() const {
  return (flags & IFF_POINTOPOINT) != 0;
}

LinkTable::Effect LinkTable::apply(const LinkMessage& message) {
  if (message.change == Change::Deleted) {
    if (dump_) dump_->erase(message.index);
    return links_.erase(message.index) != 0 ? Effect::Changed : Effect::None;
  }
  if (dump_) (*dump_)[message.index].link = true;
  const auto [at, fresh] = links_.try_emplace(message.index);
  auto& link = at->second;
  Link next{message.index,  message.name,   message.mac, message.flags, message.hardware,
            message.master, message.parent, message.mtu, message.kind,  std::move(link.addresses)};
  // Some notifications leave the kind out; a link never changes it.
  if (next.kind.empty()) next.kind = link.kind;
  link.addresses = next.addresses;
  const auto changed = fresh || !(next == link);
  link = std::move(next);
  return changed ? Effect::Changed : Effect::None;
}

LinkTable::Effect LinkTable::apply(const AddressMessage& message) {
  const auto address = from(message);
  const auto is_it = [&](const auto& other) { return same_address(other, address); };
  if (dump_) {
    auto& heard = (*dump_)[message.interface].addresses;
    std::erase_if(heard, is_it);
    if (message.change == Change::New) heard.push_back(address);
  }
  const auto link = links_.find(message.interface);
  if (link == links_.end()) return Effect::None;  // the link has gone before its addresses
  auto& addresses = link->second.addresses;
  const auto at = std::find_if(addresses.begin(), addresses.end(), is_it);
  if (message.change == Change::Deleted) {
    if (at == addresses.end()) return Effect::None;
    addresses.erase(at);
    return Effect::Changed;
  }
  if (at == addresses.end()) {
    addresses.push_back(address);
    return Effect::Changed;
  }
  return *at == address ? Effect::None : (*at = address, Effect::Changed);
}

void LinkTable::begin_dump() {
  dump_.emplace();
}

void LinkTable::end_dump() {
  if (!dump_) return;
  const auto heard = std::exchange(dump_, std::nullopt);
  std::erase_if(links_, [&](const auto& entry) {
    const auto at = heard->find(entry.first);
    return at == heard->end() || !at->second.link;
  });
  for (auto& [index, link] : links_) {
    const auto& kept = heard->find(index)->second.addresses;
    std::erase_if(link.addresses, [&](const auto& address) {
      return std::none_of(kept.begin(), kept.end(), [&](const auto& other) { return same_address(other, address); });
    });
  }
}

const Link* LinkTable::find(std::uint32_t index) const {
  const auto at = links_.find(index);
  return at == links_.end() ? nullptr : &at->second;
}

const Link* LinkTable::find(std::string_view name) const {
  const auto at =
      std::find_if(links_.begin(), links_.end(), [&](const auto& entry) { return entry.second.name == name; });
  return at == links_.end() ? nullptr : &at->second;
}

const Link* LinkTable::loopback() const {
  const auto at = std::find_if(links_.begin(), links_.end(), [](const auto& entry) { return entry.second.loopback(); });
  return at == links_.end() ? nullptr : &at->second;
}

const Link* LinkTable::connected(const net::IpAddress& address) const {
  const Link* best = nullptr;
  unsigned best_length = 0;
  for (const auto& [index, link] : links_) {
    if (!link.usable() || link.loopback()) continue;
    for (const auto& candidate : link.addresses) {
      if ((candidate.flags & IFA_F_NOPREFIXROUTE) != 0 || !candidate.subnet().contains(address)) continue;
      if (best != nullptr && candidate.length <= best_length) continue;
      best = &link;
      best_length = candidate.length;
    }
  }
  return best;
}

bool LinkTable::own(std::uint32_t index, const net::IpAddress& address) const {
  return std::any_of(links_.begin(), links_.end(), [&](const auto& entry) {
    if (address.link_local() && entry.first != index) return false;
    const auto& addresses = entry.second.addresses;
    return std::any_of(addresses.begin(), addresses.end(),
                       [&](const auto& each) { return each.address == address && !each.tentative(); });
  });
}

bool LinkTable::on_link(std::uint32_t index, const net::IpAddress& address) const {
  const auto* link = find(index);
  if (link == nullptr) return false;
  if (address.is_v6() && address.link_local()) return true;
  return std::any_of(link->addresses.begin(), link->addresses.end(),
                     [&](const auto& candidate) { return candidate.subnet().contains(address); });
}

}  // namespace netlink
