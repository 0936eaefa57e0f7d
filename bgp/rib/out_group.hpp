// SPDX-License-Identifier: Apache-2.0
// The Adj-RIB-Out of the neighbours of one family that are told the same. Nothing is kept for a prefix
// that everybody knows: what was sent is what the exporter makes of the best path. A change puts the prefix
// into `pending_` with the route that was sent before it; when a member pulls, pending prefixes become a
// chunk of messages with their latest state, which all members share.
//
// A member that reads too slowly, or has just come, leaves that stream and catches up by itself: two bits
// a prefix say which to send, and whether the member has it. When nothing is left it joins the stream again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "bgp/rib/attribute_pool.hpp"
#include "bgp/rib/bitmap.hpp"
#include "bgp/rib/out_chunk.hpp"
#include "bgp/rib/out_member.hpp"
#include "bgp/rib/prefix_table.hpp"
#include "bgp/rib/update_writer.hpp"

namespace bgp {

// Prefixes that wait for the kernel before neighbours are told of them: how many there have been, and of how many the
// outcome is known or no longer matters.
struct KernelAnswers {
  std::uint64_t asked = 0;
  std::uint64_t given = 0;
};

// A prefix that neighbours of a group are to be told of.
struct PendingChange {
  NodeIndex node = 0;
  Path before;  // as sent; its set is retained; no set: nothing was sent
};

// What a number of prefixes come to on their way into messages. All groups use it in turn, so that a change of one
// prefix asks for no memory.
template <class Prefix>
struct OutScratch {
  using Withdrawal = std::pair<PeerId, Prefix>;

  explicit OutScratch(const std::vector<Rank>& ranks) : writer{ranks} {}
  void begin(const Exporter& exporter) {
    writer.begin(exporter);
    entries.clear();
    routes.clear();
    withdrawn.clear();
    replaced.clear();
    prefixes.clear();
  }

  // An empty chunk: the last one again once everybody has written it.
  const std::shared_ptr<OutChunk>& next_chunk() {
    if (chunk.use_count() == 1)
      chunk->clear();
    else
      chunk = std::make_shared<OutChunk>();
    return chunk;
  }

  UpdateWriter<Prefix> writer;
  std::shared_ptr<OutChunk> chunk;
  std::vector<PendingChange> entries;
  std::vector<typename UpdateWriter<Prefix>::Route> routes;
  std::vector<Withdrawal> withdrawn;  // for all but the one whose route it was
  std::vector<Withdrawal> replaced;   // for the one whose own route took another's place
  std::vector<Prefix> prefixes;       // of one neighbour or message
};

// What groups see of the tables, and how they report.
template <class Prefix>
struct OutContext {
  PrefixTable<Prefix>& table;
  const std::vector<Rank>& ranks;
  AttributePool& pool;
  const RouterConfig& config;
  std::vector<PeerId>& woken;       // members that have something to pull again
  std::vector<NodeIndex>& settled;  // prefixes without paths of which a group needs no more
  const KernelAnswers& answers;
  OutScratch<Prefix>& scratch;
};

template <class Prefix>
class OutGroup {
 public:
  OutGroup(std::uint32_t id, std::shared_ptr<const Exporter> exporter, OutContext<Prefix> context)
      : id_{id}, exporter_{std::move(exporter)}, context_{context} {}
  ~OutGroup();
  OutGroup(const OutGroup&) = delete;
  OutGroup& operator=(const OutGroup&) = delete;

  [[nodiscard]] std::uint32_t id() const { return id_; }
  [[nodiscard]] const std::shared_ptr<const Exporter>& exporter() const { return exporter_; }
  [[nodiscard]] bool empty() const { return members_.empty(); }
  [[nodiscard]] const std::vector<OutMember*>& members() const { return members_; }

  // The member catches up by itself; what it has to be sent is in its CatchUp already.
  void add(OutMember& member);
  void remove(OutMember& member);
  // From the stream to catching up; the member then knows what is pending for it.
  void detach(OutMember& member);
  // So that nothing that is pending depends any more on what was.
  void detach_all();

  // The selected paths of `node` were `before` (the best first, all of them when they are local).
  void changed(NodeIndex node, std::span<const Path> before);
  // Members that wait with their End-of-RIB may have waited long enough.
  void kernel_answered();
  // Somebody may still have to be told about the prefix.
  [[nodiscard]] bool remembers(NodeIndex node) const;

  // The member has not been given the latest state of the prefix: it will be, unless that is what it has already.
  [[nodiscard]] bool behind(const OutMember& member, NodeIndex node) const;
  // The same of any prefix.
  [[nodiscard]] bool behind(const OutMember& member) const;

  // Appends whole messages until `out` holds `limit` bytes or nothing is left; returns how many.
  std::size_t pull(OutMember& member, std::vector<std::uint8_t>& out, std::size_t limit);

  // One slice of the walk of a member over the table; returns how many prefixes were looked at.
  std::size_t walk(OutMember& member, std::size_t budget);

  [[nodiscard]] std::size_t bytes() const { return dirty_.bytes() + pending_.size() * sizeof(PendingChange); }

 private:
  // Members in the stream get all chunks.
  [[nodiscard]] static bool streaming(const OutMember& member) { return member.catch_up == nullptr; }
  void wake(OutMember& member);
  // The one that a change comes from has nothing to be told, so it comes after all others.
  void wake_streaming(PeerId source);
  void forget_pending();
  void make_chunk(const OutMember* puller);
  void draw(const PendingChange& entry, OutChunk& chunk) const;
  void withdraw(std::vector<typename OutScratch<Prefix>::Withdrawal>& list, OutChunk::For whom, OutChunk& chunk) const;
  void hand_out(const std::shared_ptr<const OutChunk>& chunk, const OutMember* puller);
  std::size_t take_backlog(OutMember& member, std::vector<std::uint8_t>& out, std::size_t limit);
  std::size_t pull_own(OutMember& member, std::vector<std::uint8_t>& out);
  bool rejoin(OutMember& member);
  void mark(OutMember& member, NodeIndex node, const Path* before, const Exporter& terms);
  void settle(NodeIndex node);
  // The member is told about the path by these terms.
  [[nodiscard]] bool tells(const Exporter& terms, const OutMember& member, const Prefix& prefix,
                           const Path* path) const;
  [[nodiscard]] const Rank& rank_of(const Path& path) const;
  [[nodiscard]] std::span<const Path> selected(NodeIndex node) const { return tellable(context_.table, node); }

  std::uint32_t id_;
  std::shared_ptr<const Exporter> exporter_;
  OutContext<Prefix> context_;
  std::vector<OutMember*> members_;
  std::size_t streaming_ = 0;  // how many of them are in the stream
  Bitmap in_stream_;           // by PeerId
  std::deque<PendingChange> pending_;
  Bitmap dirty_;  // the nodes in pending_
};

}  // namespace bgp
