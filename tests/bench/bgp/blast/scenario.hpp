// SPDX-License-Identifier: Apache-2.0
// What the senders say, and what therefore every receiver must hold in the end.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "net/writer.hpp"
#include "tests/bench/bgp/blast/options.hpp"
#include "tests/bench/bgp/blast/prefixes.hpp"
#include "tests/bench/bgp/blast/table.hpp"

namespace blast {

enum class Path { Usual, Longer };  // a flapped prefix is announced with a longer path

class Scenario {
 public:
  explicit Scenario(const Options& options);  // throws what read_table() throws

  [[nodiscard]] const Options& options() const { return options_; }
  [[nodiscard]] const Prefixes& prefixes() const { return prefixes_; }
  // How many prefixes make up the load; the probes' indices begin here.
  [[nodiscard]] std::uint32_t expected() const { return expected_; }
  // The prefix that a sender announces as its n-th.
  [[nodiscard]] std::uint32_t index(unsigned sender, std::uint32_t n) const {
    return options_.overlap == Overlap::Disjoint ? sender * options_.prefixes + n : n;
  }
  // Of what a sender announces as its n-th prefix; nothing: it does not have that one.
  [[nodiscard]] std::optional<std::uint32_t> attribute_set(unsigned sender, std::uint32_t n) const;
  [[nodiscard]] const std::optional<Table>& table() const { return table_; }
  // AS path length as the sender announces it, with its own AS number, which is there once more when it is the longer
  // path.
  [[nodiscard]] std::uint8_t path_length(unsigned sender, std::uint32_t set, Path path) const;
  [[nodiscard]] bool announces(unsigned sender) const;

  void flap(std::uint32_t count);
  void lose_first_sender();
  // To be called after each of the two: works out what receivers must hold.
  void settle();
  [[nodiscard]] std::uint32_t wanted() const { return wanted_; }

  // `hops` as a sender announced the prefix; 0: the receiver does not have it.
  [[nodiscard]] bool right(std::uint32_t index, std::uint8_t hops, std::uint16_t sender) const {
    return want_[index] == hops && (hops == 0 || alive_[sender] != 0);
  }

 private:
  Options options_;
  std::optional<Table> table_;  // in place of what the seed makes
  Prefixes prefixes_;
  std::uint32_t expected_ = 0;
  std::uint32_t wanted_ = 0;
  std::vector<std::uint8_t> want_;     // hops of the best path by prefix; 0: absent
  std::vector<std::uint8_t> alive_;    // by sender
  std::vector<std::uint8_t> flapped_;  // by prefix: the first sender's path is the longer one
};

// Appends UPDATEs of one sender, each with one attribute set.
class UpdateWriter {
 public:
  UpdateWriter(const Scenario& scenario, unsigned sender, std::vector<std::uint8_t>& out)
      : scenario_{scenario}, options_{scenario.options()}, sender_{sender}, out_{out} {}

  void announce(std::uint32_t set, std::span<const Prefix> prefixes, Path path);
  void withdraw(Prefix prefix);
  void end_of_rib();

 private:
  // All but MP_REACH_NLRI, into attributes_.
  void attributes(std::uint32_t set, Path path);
  void as_path(net::Writer& out, std::uint32_t set, Path path);
  void real_path(net::Writer& out, const AttributeSet& set, Path path);
  void communities(net::Writer& out, std::uint32_t set);

  const Scenario& scenario_;
  const Options& options_;
  unsigned sender_;
  std::vector<std::uint8_t>& out_;
  std::vector<std::uint8_t> attributes_;
};

// The first `count` prefixes of a sender as UPDATEs, packed as well as they can be.
void write_prefixes(const Scenario& scenario, unsigned sender, std::uint32_t count, Path path,
                    std::vector<std::uint8_t>& out);

}  // namespace blast
