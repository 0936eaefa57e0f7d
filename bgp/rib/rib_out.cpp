// SPDX-License-Identifier: Apache-2.0
// Who is told what: members of out groups, as they come, go, change their terms, and pull.
#include <algorithm>
#include <limits>

#include "bgp/rib/rib.hpp"

namespace bgp {

template <class Prefix>
OutGroup<Prefix>& Rib<Prefix>::group_for(ExportTerms terms) {
  for (const auto& group : groups_) {
    if (group->exporter()->terms() == terms) return *group;
  }
  groups_.push_back(
      std::make_unique<OutGroup<Prefix>>(next_group_++, std::make_shared<const Exporter>(std::move(terms)),
                                         OutContext<Prefix>{table_, ranks_, pool_, config_, woken_, settled_}));
  return *groups_.back();
}

template <class Prefix>
void Rib<Prefix>::drop_if_empty(OutGroup<Prefix>* group) {
  if (!group->empty()) return;
  std::erase_if(groups_, [&](const auto& each) { return each.get() == group; });
}

template <class Prefix>
void Rib<Prefix>::join(PeerId peer, ExportTerms terms) {
  leave(peer);
  auto& membership = outs_[peer];
  membership.member.peer = peer;
  membership.member.catch_up = std::make_unique<CatchUp>();
  membership.member.catch_up->end_of_rib = true;
  membership.group = &group_for(std::move(terms));
  membership.group->add(membership.member);
  start_walk(membership, nullptr, CatchUp::Resend::Changed);
}

template <class Prefix>
void Rib<Prefix>::leave(PeerId peer) {
  const auto found = outs_.find(peer);
  if (found == outs_.end()) return;
  auto& [member, group] = found->second;
  group->remove(member);
  // Prefixes without paths that only this member had to be told about.
  if (member.catch_up && !member.catch_up->dirty.empty()) start_sweep(Sweep::Everything);
  drop_if_empty(group);
  std::erase(walking_, peer);
  outs_.erase(found);
  reap_settled();
}

template <class Prefix>
CatchUp& Rib<Prefix>::on_its_own(Membership& membership) {
  auto& [member, group] = membership;
  group->detach(member);
  // A walk that is not over knows things that the next one would not: it is brought to its end. Rare.
  if (member.catch_up->walking) group->walk(member, std::numeric_limits<std::size_t>::max());
  std::erase(walking_, member.peer);
  return *member.catch_up;
}

template <class Prefix>
void Rib<Prefix>::start_walk(Membership& membership, std::shared_ptr<const Exporter> before, CatchUp::Resend resend) {
  auto& own = *membership.member.catch_up;
  own.walking = true;
  own.cursor = 0;
  own.before = std::move(before);
  own.resend = resend;
  if (table_.end() == 0)
    membership.group->walk(membership.member, 0);
  else
    walking_.push_back(membership.member.peer);
}

template <class Prefix>
void Rib<Prefix>::retarget(PeerId peer, ExportTerms terms, Difference difference) {
  const auto found = outs_.find(peer);
  if (found == outs_.end()) return;
  auto& membership = found->second;
  if (membership.group->exporter()->terms() == terms) return;
  on_its_own(membership);
  auto* const old = membership.group;
  auto before = old->exporter();
  old->remove(membership.member);
  membership.group = &group_for(std::move(terms));
  membership.group->add(membership.member);
  drop_if_empty(old);
  if (difference == Difference::Find) start_walk(membership, std::move(before), CatchUp::Resend::Changed);
  reap_settled();
}

template <class Prefix>
void Rib<Prefix>::resend(PeerId peer, RefreshMarks marks) {
  const auto found = outs_.find(peer);
  if (found == outs_.end()) return;
  auto& membership = found->second;
  auto& own = on_its_own(membership);
  own.begin_refresh = own.end_of_refresh = marks == RefreshMarks::Yes;
  start_walk(membership, membership.group->exporter(), CatchUp::Resend::Everything);
  reap_settled();
}

template <class Prefix>
std::size_t Rib<Prefix>::pull(PeerId peer, std::vector<std::uint8_t>& out, std::size_t limit) {
  const auto found = outs_.find(peer);
  if (found == outs_.end()) return 0;
  auto& [member, group] = found->second;
  const auto before = out.size();
  const auto messages = group->pull(member, out, limit);
  if (out.size() == before && before < limit) member.awake = false;
  reap_settled();
  return messages;
}

template <class Prefix>
std::optional<typename Rib<Prefix>::Out> Rib<Prefix>::out(PeerId peer) const {
  const auto found = outs_.find(peer);
  if (found == outs_.end()) return std::nullopt;
  return Out{found->second.group, &found->second.member};
}

template <class Prefix>
std::size_t Rib<Prefix>::bytes() const {
  auto sum = table_.bytes() + feed_.size() * sizeof(NodeIndex);
  for (const auto& group : groups_) {
    sum += group->bytes();
    for (const auto* member : group->members()) {
      if (member->catch_up) sum += member->catch_up->dirty.bytes() + member->catch_up->had.bytes();
    }
  }
  return sum;
}

template class Rib<net::Ipv4Prefix>;
template class Rib<net::Ipv6Prefix>;

}  // namespace bgp
