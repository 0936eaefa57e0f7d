// SPDX-License-Identifier: Apache-2.0
#include "bgp/rib/out_group.hpp"

#include <algorithm>
#include <cassert>

namespace bgp {
namespace {

// Prefixes that become messages together: enough to fill messages, little enough for a short turn.
constexpr std::size_t draw_limit = 256;
constexpr std::size_t expected_octets = 256;  // of messages for one prefix, so that they are allocated once

template <class Prefix>
constexpr net::Family family_of() {
  return std::is_same_v<Prefix, net::Ipv4Prefix> ? net::Family::Ipv4 : net::Family::Ipv6;
}

void append_refresh(net::Family family, RefreshKind kind, std::vector<std::uint8_t>& out) {
  const auto bytes = encode(RouteRefresh{unicast(family), kind});
  out.insert(out.end(), bytes.begin(), bytes.end());
}

// Messages for one audience are a part of the chunk; `write` appends them.
template <class Write>
void add_part(OutChunk& chunk, OutChunk::For whom, PeerId peer, Write&& write) {
  const auto begin = static_cast<std::uint32_t>(chunk.bytes.size());
  const auto messages = static_cast<std::uint32_t>(write());
  chunk.parts.push_back({whom, peer, begin, static_cast<std::uint32_t>(chunk.bytes.size()), messages});
}

}  // namespace

template <class Prefix>
OutGroup<Prefix>::~OutGroup() {
  forget_pending();
}

template <class Prefix>
void OutGroup<Prefix>::add(OutMember& member) {
  assert(member.catch_up);
  members_.push_back(&member);
  wake(member);
}

template <class Prefix>
void OutGroup<Prefix>::remove(OutMember& member) {
  std::erase(members_, &member);
  if (streaming(member)) {
    in_stream_.reset(member.peer.value);
    if (--streaming_ == 0) forget_pending();
  }
}

template <class Prefix>
void OutGroup<Prefix>::detach(OutMember& member) {
  if (!streaming(member)) return;
  member.catch_up = std::make_unique<CatchUp>();
  for (const auto& entry : pending_)
    mark(member, entry.node, entry.before.set == nullptr ? nullptr : &entry.before, *exporter_);
  in_stream_.reset(member.peer.value);
  if (--streaming_ == 0) forget_pending();
}

template <class Prefix>
void OutGroup<Prefix>::detach_all() {
  if (pending_.empty()) return;
  for (auto* member : members_) detach(*member);
}

template <class Prefix>
void OutGroup<Prefix>::wake(OutMember& member) {
  if (member.awake) return;
  member.awake = true;
  context_.woken.push_back(member.peer);
}

template <class Prefix>
const Rank& OutGroup<Prefix>::rank_of(const Path& path) const {
  return path.local() ? local_rank : context_.ranks[path.source.value];
}

template <class Prefix>
bool OutGroup<Prefix>::tells(const Exporter& terms, const OutMember& member, const Prefix& prefix,
                             const Path* path) const {
  return path != nullptr && path->source != member.peer &&
         terms.gate(prefix, *path, rank_of(*path)) == ExportGate::Sent;
}

// ---- changes ----------------------------------------------------------------------------------------

template <class Prefix>
void OutGroup<Prefix>::changed(NodeIndex node, std::span<const Path> before) {
  const auto* old = exporter_->pick(before);
  const auto* now = exporter_->pick(selected(node));
  const bool same = same_route(old, now);
  if (streaming_ > 0 && !same && dirty_.set(node)) {
    pending_.push_back({node, old == nullptr ? Path{} : *old});
    if (old != nullptr) AttributePool::retain(old->set);
    if (pending_.size() == 1) wake_streaming((now == nullptr ? old : now)->source);
  }
  if (streaming_ == members_.size()) return;
  for (auto* member : members_) {
    if (streaming(*member)) continue;
    const auto& own = *member->catch_up;
    if (own.walking && node >= own.cursor) {
      // The walk will find it; what the member was sent before is only known now.
      if (own.before) mark(*member, node, own.before->pick(before), *own.before);
    } else if (!same) {
      mark(*member, node, old, *exporter_);
    }
  }
}

template <class Prefix>
void OutGroup<Prefix>::kernel_answered() {
  if (streaming_ == members_.size()) return;
  for (auto* member : members_) {
    if (!streaming(*member) && member->catch_up->end_of_rib && member->catch_up->awaits <= context_.answers.given)
      wake(*member);
  }
}

template <class Prefix>
void OutGroup<Prefix>::wake_streaming(PeerId source) {
  OutMember* last = nullptr;
  for (auto* member : members_) {
    if (!streaming(*member)) continue;
    if (member->peer == source)
      last = member;
    else
      wake(*member);
  }
  if (last != nullptr) wake(*last);
}

template <class Prefix>
void OutGroup<Prefix>::mark(OutMember& member, NodeIndex node, const Path* before, const Exporter& terms) {
  auto& own = *member.catch_up;
  if (!own.dirty.set(node)) return;
  if (tells(terms, member, context_.table.prefix_of(node), before)) own.had.set(node);
  wake(member);
}

template <class Prefix>
bool OutGroup<Prefix>::remembers(NodeIndex node) const {
  return dirty_.test(node) || std::any_of(members_.begin(), members_.end(), [&](const OutMember* member) {
           return !streaming(*member) && member->catch_up->dirty.test(node);
         });
}

template <class Prefix>
bool OutGroup<Prefix>::behind(const OutMember& member, NodeIndex node) const {
  if (streaming(member)) return dirty_.test(node);
  const auto& own = *member.catch_up;
  return own.dirty.test(node) || (own.walking && node >= own.cursor);
}

template <class Prefix>
bool OutGroup<Prefix>::behind(const OutMember& member) const {
  if (streaming(member)) return !pending_.empty();
  return member.catch_up->walking || !member.catch_up->dirty.empty();
}

template <class Prefix>
void OutGroup<Prefix>::settle(NodeIndex node) {
  if (context_.table[node].count == 0) context_.settled.push_back(node);
}

template <class Prefix>
void OutGroup<Prefix>::forget_pending() {
  for (const auto& entry : pending_) {
    dirty_.reset(entry.node);
    if (entry.before.set != nullptr) context_.pool.release(entry.before.set);
    settle(entry.node);
  }
  pending_.clear();
}

// ---- the shared stream ------------------------------------------------------------------------------

template <class Prefix>
void OutGroup<Prefix>::draw(const PendingChange& entry, OutChunk& chunk) const {
  auto& drawn = context_.scratch;
  auto& writer = drawn.writer;
  const auto prefix = context_.table.prefix_of(entry.node);
  const auto* now = exporter_->pick(selected(entry.node));
  const auto& before = entry.before;
  const bool tell = now != nullptr && writer.sends(prefix, *now);
  const bool told = before.set != nullptr && writer.sends(prefix, before);
  const bool same_source = tell && told && before.source == now->source;
  drawn.entries.push_back(entry);
  if (!tell && !told) return;
  if (same_source && writer.same_outcome(prefix, before, *now)) return;

  const auto in_stream = [this](const Path& path) { return in_stream_.test(path.source.value); };
  if (tell) {
    drawn.routes.push_back({prefix, *now});
    if (told && !same_source && in_stream(*now)) drawn.replaced.emplace_back(now->source, prefix);
    if (in_stream(*now)) chunk.correct(now->source, -1);
  } else {
    drawn.withdrawn.emplace_back(in_stream(before) ? before.source : local_peer, prefix);
  }
  if (told && in_stream(before)) chunk.correct(before.source, 1);
  chunk.more += (tell ? 1 : 0) - (told ? 1 : 0);
}

// In order of the neighbours that are left out, or meant.
template <class Prefix>
void OutGroup<Prefix>::withdraw(std::vector<typename OutScratch<Prefix>::Withdrawal>& list, OutChunk::For whom,
                                OutChunk& chunk) const {
  const auto by_peer = [](const auto& a, const auto& b) { return a.first < b.first; };
  if (!std::is_sorted(list.begin(), list.end(), by_peer)) std::stable_sort(list.begin(), list.end(), by_peer);
  auto& prefixes = context_.scratch.prefixes;
  for (auto at = list.begin(); at != list.end();) {
    const auto peer = at->first;
    prefixes.clear();
    for (; at != list.end() && at->first == peer; ++at) prefixes.push_back(at->second);
    add_part(chunk, peer == local_peer ? OutChunk::For::Everybody : whom, peer,
             [&] { return context_.scratch.writer.withdraw(prefixes, chunk.bytes); });
  }
}

template <class Prefix>
void OutGroup<Prefix>::make_chunk(const OutMember* puller) {
  auto& drawn = context_.scratch;
  drawn.begin(*exporter_);
  const auto& chunk = drawn.next_chunk();
  while (!pending_.empty() && drawn.entries.size() < draw_limit) {
    const auto entry = pending_.front();
    pending_.pop_front();
    dirty_.reset(entry.node);
    draw(entry, *chunk);
  }

  chunk->bytes.reserve(expected_octets);
  withdraw(drawn.withdrawn, OutChunk::For::AllBut, *chunk);
  withdraw(drawn.replaced, OutChunk::For::Only, *chunk);
  for (const auto& part : drawn.writer.announce(drawn.routes, chunk->bytes)) {
    const bool own = in_stream_.test(part.source.value);
    chunk->parts.push_back({own ? OutChunk::For::AllBut : OutChunk::For::Everybody, part.source,
                            static_cast<std::uint32_t>(part.begin), static_cast<std::uint32_t>(part.end),
                            static_cast<std::uint32_t>(part.messages)});
  }

  if (!chunk->parts.empty()) hand_out(chunk, puller);
  for (const auto& entry : drawn.entries) {
    if (entry.before.set != nullptr) context_.pool.release(entry.before.set);
    settle(entry.node);
  }
}

template <class Prefix>
void OutGroup<Prefix>::hand_out(const std::shared_ptr<const OutChunk>& chunk, const OutMember* puller) {
  for (auto* member : members_) {
    if (!streaming(*member)) continue;
    if (member != puller && member->backlog_bytes > context_.config.backlog_limit) {
      detach(*member);
      for (const auto& entry : context_.scratch.entries)
        mark(*member, entry.node, entry.before.set == nullptr ? nullptr : &entry.before, *exporter_);
      continue;
    }
    member->backlog.push_back(chunk);
    member->backlog_bytes += chunk->bytes.size();
  }
}

template <class Prefix>
std::size_t OutGroup<Prefix>::take_backlog(OutMember& member, std::vector<std::uint8_t>& out, std::size_t limit) {
  std::size_t messages = 0;
  while (!member.backlog.empty() && out.size() < limit) {
    const auto& chunk = *member.backlog.front();
    if (member.part == chunk.parts.size()) {
      member.advertised =
          static_cast<std::uint64_t>(static_cast<std::int64_t>(member.advertised) + chunk.more_for(member.peer));
      member.backlog_bytes -= chunk.bytes.size();
      member.part = 0;
      member.backlog.pop_front();
      continue;
    }
    const auto& part = chunk.parts[member.part++];
    if (!part.is_for(member.peer)) continue;
    out.insert(out.end(), chunk.bytes.begin() + part.begin, chunk.bytes.begin() + part.end);
    messages += part.messages;
  }
  return messages;
}

// ---- catching up ------------------------------------------------------------------------------------

template <class Prefix>
std::size_t OutGroup<Prefix>::pull_own(OutMember& member, std::vector<std::uint8_t>& out) {
  auto& own = *member.catch_up;
  auto& drawn = context_.scratch;
  auto& writer = drawn.writer;
  drawn.begin(*exporter_);
  for (std::uint32_t node = 0; drawn.routes.size() + drawn.prefixes.size() < draw_limit;) {
    node = own.next();
    if (node == Bitmap::none) break;
    own.scan = node + 1;
    own.dirty.reset(node);
    const bool had = own.had.reset(node);
    const auto prefix = context_.table.prefix_of(node);
    const auto* now = exporter_->pick(selected(node));
    const bool tell = now != nullptr && now->source != member.peer && writer.sends(prefix, *now);
    if (tell)
      drawn.routes.push_back({prefix, *now});
    else if (had)
      drawn.prefixes.push_back(prefix);
    member.advertised += tell ? 1U : 0U;
    member.advertised -= had ? 1U : 0U;
    settle(node);
  }
  auto messages = writer.withdraw(drawn.prefixes, out);
  for (const auto& part : writer.announce(drawn.routes, out)) messages += part.messages;
  return messages;
}

template <class Prefix>
bool OutGroup<Prefix>::rejoin(OutMember& member) {
  auto& own = *member.catch_up;
  if (own.walking || !own.dirty.empty()) return false;
  // What is pending the member has already; it must not get it again.
  if (pending_.size() > draw_limit) return false;
  while (!pending_.empty()) make_chunk(nullptr);
  member.catch_up.reset();
  in_stream_.set(member.peer.value);
  ++streaming_;
  return true;
}

template <class Prefix>
std::size_t OutGroup<Prefix>::pull(OutMember& member, std::vector<std::uint8_t>& out, std::size_t limit) {
  constexpr auto family = family_of<Prefix>();
  std::size_t messages = 0;
  while (out.size() < limit) {
    if (!member.backlog.empty()) {
      messages += take_backlog(member, out, limit);
    } else if (streaming(member)) {
      if (pending_.empty()) break;
      make_chunk(&member);
    } else if (auto& own = *member.catch_up; own.begin_refresh) {
      own.begin_refresh = false;
      append_refresh(family, RefreshKind::BeginOfRefresh, out);
    } else if (own.next() != Bitmap::none) {
      messages += pull_own(member, out);
    } else if (own.end_of_rib && !own.walking) {
      // What the kernel has not been heard of belongs to what End-of-RIB ends.
      if (context_.answers.given < own.awaits) break;
      own.end_of_rib = false;
      encode_end_of_rib(family, out);
      ++messages;
    } else if (own.end_of_refresh && !own.walking) {
      own.end_of_refresh = false;
      append_refresh(family, RefreshKind::EndOfRefresh, out);
    } else if (!rejoin(member)) {
      break;
    }
  }
  return messages;
}

template <class Prefix>
std::size_t OutGroup<Prefix>::walk(OutMember& member, std::size_t budget) {
  auto& own = *member.catch_up;
  const auto& table = context_.table;
  std::size_t looked = 0;
  for (; looked < budget && own.cursor < table.end(); ++looked) {
    const auto node = own.cursor++;
    if (own.dirty.test(node)) {
      wake(member);  // it may be sent from now on
      continue;
    }
    if (!table.used(node)) continue;
    const auto prefix = table.prefix_of(node);
    const auto* now = exporter_->pick(selected(node));
    const auto* old = own.before ? own.before->pick(selected(node)) : nullptr;
    const bool tell = tells(*exporter_, member, prefix, now);
    const bool told = own.before && tells(*own.before, member, prefix, old);
    if (!tell && !told) continue;
    if (tell && told && own.resend == CatchUp::Resend::Changed &&
        own.before->evaluate(prefix, *old, rank_of(*old)).attributes ==
            exporter_->evaluate(prefix, *now, rank_of(*now)).attributes)
      continue;
    own.dirty.set(node);
    if (told) own.had.set(node);
    wake(member);
  }
  if (own.cursor >= table.end()) {
    own.walking = false;
    own.awaits = context_.answers.asked;
    own.before.reset();
    wake(member);  // there may be a mark to be said, and the stream can be joined
  }
  return looked;
}

template class OutGroup<net::Ipv4Prefix>;
template class OutGroup<net::Ipv6Prefix>;

}  // namespace bgp
