// SPDX-License-Identifier: Apache-2.0
// What the parts of the validation share: the set, the verdict so far, and the order of age.
#pragma once

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "config/object.hpp"
#include "config/validate.hpp"

namespace config {

class Judge {
 public:
  Judge(const Resources& resources, const Viewpoint& viewpoint) : all{resources}, view{viewpoint} {}

  const Resources& all;
  const Viewpoint& view;
  Verdict verdict;
  std::vector<const IPAddressPool*> sound_pools;  // oldest first; filled by pools()

  // Later parts rely on what earlier ones found, so the order is that of dependence.
  void communities();
  void pools();
  void filters();
  void bfd_profiles();  // bfd.cpp
  void configurations();
  void peers();
  void advertisements();

  template <class T>
  void note(const T& object, std::string field, std::string message) {
    verdict.problems.push_back({object.meta.location, title(object), std::move(field), std::move(message)});
  }
  template <class T>
  void set_aside(const T& object, std::string field, std::string message) {
    verdict.set_aside[title(object)].push_back(field + ": " + message);
    note(object, std::move(field), std::move(message));
  }
  void hold_down(const BGPPeer& peer, std::string field, std::string message) {
    verdict.held_down[peer.meta.key()].push_back(field + ": " + message);
    note(peer, std::move(field), std::move(message));
  }

  template <class T>
  [[nodiscard]] static std::string title(const T& object) {
    return name_of(kind_of(std::type_identity<T>{}), object.meta);
  }
  // "BGPPeer/tor1 (peers.yaml:3:1)"
  template <class T>
  [[nodiscard]] static std::string cite(const T& object) {
    const auto& at = object.meta.location;
    auto out = title(object);
    if (at.line > 0) out += " (" + at.file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ")";
    return out;
  }
  template <class T>
  [[nodiscard]] bool is_set_aside(const T& object) const {
    return verdict.set_aside.contains(title(object));
  }
  template <class T>
  [[nodiscard]] bool has(const std::string& name) const {
    const auto found = items<T>(all).find(name);
    return found != items<T>(all).end() && !is_set_aside(found->second);
  }
  // Those not set aside so far, oldest first.
  template <class T>
  [[nodiscard]] std::vector<const T*> by_age() const {
    std::vector<const T*> out;
    for (const auto& [key, object] : items<T>(all))
      if (!is_set_aside(object)) out.push_back(&object);
    std::ranges::stable_sort(out, {}, [](const T* object) {
      const auto& meta = object->meta;
      return std::tie(meta.creation_timestamp, meta.location.file, meta.location.line, meta.location.column, meta.name);
    });
    return out;
  }

  // That the profile a peer names is there; bfd.cpp.
  void check_bfd(const BGPPeer& peer);
  // Aliases among these that no Community defines; empty when all are.
  [[nodiscard]] std::vector<std::string> unknown_aliases(const std::vector<std::string>& communities) const;
  // True when some node is, or may be, selected by both lists.
  [[nodiscard]] bool share_a_node(const std::vector<LabelSelector>& left,
                                  const std::vector<LabelSelector>& right) const;
};

[[nodiscard]] inline std::string missing(std::string_view kind, std::string_view name) {
  return std::string{"names "}.append(kind).append("/").append(name).append(", which is not there or is refused");
}

}  // namespace config
