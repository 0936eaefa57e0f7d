// SPDX-License-Identifier: Apache-2.0
// Which AS may originate which prefixes: validated ROA payloads of one or several caches, and the validation of a
// route's origin by them (RFC 6811). Knows nothing of where they come from.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>
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

class RoaTable {
 public:
  // What one cache says, all of it; ascending, nothing twice. The tables hold the union of all caches.
  void replace(std::uint32_t cache, std::vector<Vrp> vrps);
  void remove(std::uint32_t cache);

  // `origin`: the last AS of the path; nothing after a set or for an empty path (RFC 6811 section 2).
  [[nodiscard]] OriginValidity validate(const net::Prefix& prefix, std::optional<net::Asn> origin) const;
  [[nodiscard]] std::size_t size() const { return size_; }  // distinct payloads
  // Goes up with every change.
  [[nodiscard]] std::uint64_t version() const { return version_; }

 private:
  struct Entry {
    std::uint8_t max_length = 0;
    net::Asn asn;
    std::uint16_t caches = 0;  // how many say so
  };
  void add(const Vrp& vrp);
  void drop(const Vrp& vrp);

  std::unordered_map<net::Prefix, std::vector<Entry>> entries_;
  // How many prefixes of each length there are: a route's covering prefixes are looked for at these alone.
  std::map<unsigned, std::size_t> ipv4_lengths_;
  std::map<unsigned, std::size_t> ipv6_lengths_;
  std::map<std::uint32_t, std::vector<Vrp>> by_cache_;
  std::size_t size_ = 0;
  std::uint64_t version_ = 0;
};

}  // namespace bgp
