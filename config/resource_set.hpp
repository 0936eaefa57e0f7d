// SPDX-License-Identifier: Apache-2.0
// The resources of a source that tells differences, kept validated. Services, endpoints and heartbeats pass
// straight through at a cost of their own; a change to what validation looks at judges the set anew.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "config/changes.hpp"
#include "config/source/files.hpp"

namespace config {

class ResourceSet {
 public:
  // The node whose view decides; empty: the whole network.
  explicit ResourceSet(std::string node = {}, Secrets secrets = Secrets::Known)
      : node_{std::move(node)}, secrets_{secrets} {}

  enum class Effect : std::uint8_t { Objects, Configuration };
  // Configuration: anything may be different now. Objects: only services, endpoints, nodes and heartbeats that the
  // changes name; of the kinds that are judged nothing but what others wrote on them.
  Effect apply(Changes changes);

  // What runs, what is wrong, what is set aside and held down.
  [[nodiscard]] const Loaded& current() const { return current_; }
  // All that can be read of the kinds that are judged, also what is set aside.
  [[nodiscard]] const Resources& judged() const { return judged_; }
  // Those that cannot be read, and why.
  [[nodiscard]] const std::map<ObjectId, std::vector<Problem>>& refused() const { return refused_; }
  [[nodiscard]] Secrets secrets() const { return secrets_; }

 private:
  void judge();

  std::string node_;
  Secrets secrets_;
  Resources judged_;  // the rest lives in current_ alone
  std::map<ObjectId, std::vector<Problem>> refused_;
  Loaded current_;
};

}  // namespace config
