// SPDX-License-Identifier: Apache-2.0
// Which AS may originate which prefixes: validated ROA payloads of one or several caches, and the validation of a
// route's origin by them (RFC 6811). Knows nothing of where they come from.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "net/asn.hpp"
#include "net/prefix.hpp"

namespace bgp {

// AS `asn` may originate `prefix` and what is within, down to `max_length`; AS 0: nobody may (RFC 6483 section 4).
struct Vrp {
  net::Prefix prefix;
  std::uint8_t max_length = 0;
  net::Asn asn;
  friend auto operator<=>(const Vrp&, const Vrp&) = default;
};

enum class OriginValidity : std::uint8_t { NotFound, Valid, Invalid };
[[nodiscard]] std::string_view print(OriginValidity validity);  // "not-found", "valid", "invalid"

class RoaTable;

// The payloads as they were at some time; not to be asked after the table is gone. What its owner has decided by it can
// be told apart from what a newer one would decide.
class RoaSnapshot {
 public:
  RoaSnapshot(const RoaTable& table, std::uint64_t version) : table_{table}, version_{version} {}
  [[nodiscard]] OriginValidity validate(const net::Prefix& prefix, std::optional<net::Asn> origin) const;
  [[nodiscard]] std::uint64_t version() const { return version_; }

 private:
  const RoaTable& table_;
  std::uint64_t version_;
};

class RoaTable {
 public:
  // What one cache says, all of it; ascending, nothing twice. The tables hold the union of all caches.
  void replace(std::uint32_t cache, std::vector<Vrp> vrps);
  void remove(std::uint32_t cache);

  // `origin`: the last AS of the path; nothing after a set or for an empty path (RFC 6811 section 2).
  [[nodiscard]] OriginValidity validate(const net::Prefix& prefix, std::optional<net::Asn> origin) const;
  [[nodiscard]] std::size_t size() const { return size_; }         // distinct payloads
  [[nodiscard]] std::size_t kept() const { return gone_.size(); }  // payloads that only snapshots have
  // Goes up with every change.
  [[nodiscard]] std::uint64_t version() const { return version_; }
  // The same one until the next change. Payloads that are gone are kept for as long as a snapshot has them.
  [[nodiscard]] std::shared_ptr<const RoaSnapshot> snapshot() const;

 private:
  friend class RoaSnapshot;
  static constexpr auto never = std::numeric_limits<std::uint64_t>::max();
  struct Entry {
    std::uint8_t max_length = 0;
    std::uint16_t caches = 0;  // how many say so
    net::Asn asn;
    std::uint64_t since = 0;  // versions of the table
    std::uint64_t until = never;
    [[nodiscard]] bool is(const Vrp& vrp) const {
      return until == never && max_length == vrp.max_length && asn == vrp.asn;
    }
  };
  void add(const Vrp& vrp);
  void drop(const Vrp& vrp);
  // Clears away what no snapshot has any more.
  void sweep();
  [[nodiscard]] OriginValidity validate_at(std::uint64_t version, const net::Prefix& prefix,
                                           std::optional<net::Asn> origin) const;

  std::unordered_map<net::Prefix, std::vector<Entry>> entries_;
  // How many prefixes of each length there are: a route's covering prefixes are looked for at these alone.
  std::map<unsigned, std::size_t> ipv4_lengths_;
  std::map<unsigned, std::size_t> ipv6_lengths_;
  std::map<std::uint32_t, std::vector<Vrp>> by_cache_;
  std::deque<std::pair<net::Prefix, std::uint64_t>> gone_;  // prefixes with an entry that is no more since a version
  mutable std::deque<std::weak_ptr<const RoaSnapshot>> snapshots_;  // by version
  std::size_t size_ = 0;
  std::uint64_t version_ = 0;
};

}  // namespace bgp
