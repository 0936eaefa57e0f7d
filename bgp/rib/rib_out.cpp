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
  groups_.push_back(std::make_unique<OutGroup<Prefix>>(
      next_group_++, std::make_shared<const Exporter>(std::move(terms)),
      OutContext<Prefix>{table_, ranks_, pool_, config_, woken_, settled_, answers_, scratch_}));
  return *groups_.back();
}

template <class Prefix>
void Rib<Prefix>::drop_if_empty(OutGroup<Prefix>* group) {
  if (!group->empty()) return;
  std::erase_if(groups_, [&](const auto& each) { return each.get() == group; });
}

template <class Prefix>
void Rib<Prefix>::keep_ranked(std::size_t paths) {
  const auto before = std::exchange(ranked_, std::max<std::size_t>(paths, 1));
  if (ranked_ <= before) return;
  for (NodeIndex node = 0; node < table_.end(); ++node) {
    if (table_.best(node) == nullptr || table_.best(node)->local()) continue;
    decision_.rank(table_.paths(node).subspan(1), ranked_ - 1);
  }
}

template <class Prefix>
void Rib<Prefix>::join(PeerId peer, ExportTerms terms, std::size_t paths) {
  leave(peer);
  const bool many = terms.path_id != 0;
  const auto layers = many ? paths : std::size_t{1};
  for (std::uint16_t layer = 0; layer < layers; ++layer) {
    const OutKey key{peer, layer};
    auto& membership = outs_[key];
    membership.member.peer = peer;
    membership.member.catch_up = std::make_unique<CatchUp>();
    membership.member.catch_up->end_of_rib = layer + 1U == layers;
    if (many) terms.path_id = layer + 1U;
    membership.group = &group_for(terms);
    membership.group->add(membership.member);
    start_walk(key, membership, nullptr, CatchUp::Resend::Changed);
  }
}

template <class Prefix>
void Rib<Prefix>::leave(PeerId peer) {
  bool any = false;
  each_layer(peer, [&](OutKey, Membership& membership) {
    auto& [member, group] = membership;
    any = true;
    group->remove(member);
    // Prefixes without paths that only this member had to be told about.
    if (member.catch_up && !member.catch_up->dirty.empty()) start_sweep(Sweep::Everything);
    drop_if_empty(group);
  });
  if (!any) return;
  std::erase_if(walking_, [&](const OutKey& key) { return key.peer == peer; });
  std::erase_if(outs_, [&](const auto& entry) { return entry.first.peer == peer; });
  reap_settled();
}

template <class Prefix>
CatchUp& Rib<Prefix>::on_its_own(OutKey key, Membership& membership) {
  auto& [member, group] = membership;
  group->detach(member);
  // A walk that is not over knows things that the next one would not: it is brought to its end. Rare.
  if (member.catch_up->walking) group->walk(member, std::numeric_limits<std::size_t>::max());
  std::erase(walking_, key);
  return *member.catch_up;
}

template <class Prefix>
void Rib<Prefix>::start_walk(OutKey key, Membership& membership, const std::shared_ptr<const Exporter>& before,
                             CatchUp::Resend resend) {
  auto& own = *membership.member.catch_up;
  own.walking = true;
  own.cursor = 0;
  own.before = before;
  own.resend = resend;
  if (table_.end() == 0)
    membership.group->walk(membership.member, 0);
  else
    walking_.push_back(key);
}

template <class Prefix>
void Rib<Prefix>::retarget(PeerId peer, ExportTerms terms, Difference difference) {
  each_layer(peer, [&](OutKey key, Membership& membership) {
    auto* const old = membership.group;
    terms.path_id = old->exporter()->terms().path_id;
    if (old->exporter()->terms() == terms) return;
    on_its_own(key, membership);
    auto before = old->exporter();
    old->remove(membership.member);
    membership.group = &group_for(terms);
    membership.group->add(membership.member);
    drop_if_empty(old);
    if (difference == Difference::Find) start_walk(key, membership, std::move(before), CatchUp::Resend::Changed);
  });
  reap_settled();
}

template <class Prefix>
void Rib<Prefix>::resend(PeerId peer, RefreshMarks marks) {
  // RFC 7313 section 4: no mark before End-of-RIB, which then ends what is sent again.
  each_layer(peer, [&](OutKey, const Membership& membership) {
    if (membership.member.catch_up && membership.member.catch_up->end_of_rib) marks = RefreshMarks::No;
  });
  CatchUp* last = nullptr;
  each_layer(peer, [&](OutKey key, Membership& membership) {
    auto& own = on_its_own(key, membership);
    own.begin_refresh = marks == RefreshMarks::Yes && key.layer == 0;
    own.end_of_refresh = false;
    last = &own;
    start_walk(key, membership, membership.group->exporter(), CatchUp::Resend::Everything);
  });
  if (last != nullptr) last->end_of_refresh = marks == RefreshMarks::Yes;
  reap_settled();
}

// Marks of the end stand with the last layer, so each waits for those before it to have said all.
template <class Prefix>
std::size_t Rib<Prefix>::pull(PeerId peer, std::vector<std::uint8_t>& out, std::size_t limit) {
  std::size_t messages = 0;
  bool wait = false;
  each_layer(peer, [&](OutKey, Membership& membership) {
    auto& [member, group] = membership;
    if (wait) return;
    messages += group->pull(member, out, limit);
    if (out.size() < limit) member.awake = false;
    wait = out.size() >= limit || (member.catch_up && member.catch_up->walking);
  });
  return messages;
}

template <class Prefix>
std::vector<typename Rib<Prefix>::Out> Rib<Prefix>::outs(PeerId peer) const {
  std::vector<Out> all;
  for (auto at = outs_.lower_bound({peer, 0}); at != outs_.end() && at->first.peer == peer; ++at)
    all.push_back({at->second.group, &at->second.member});
  return all;
}

template <class Prefix>
std::optional<typename Rib<Prefix>::Out> Rib<Prefix>::out(PeerId peer) const {
  const auto found = outs_.find({peer, 0});
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
