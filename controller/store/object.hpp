// SPDX-License-Identifier: Apache-2.0
// One revision of one resource as the store keeps it: its key, what selectors look at, and its JSON text
// ready to be sent. Immutable; knows nothing of what the kinds mean.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "config/api_paths.hpp"

namespace controller {

struct ObjectKey {
  config::Kind kind{};
  std::string namespace_name;  // empty for kinds of cluster scope
  std::string name;
  friend auto operator<=>(const ObjectKey&, const ObjectKey&) = default;
};

struct KeyHash {
  std::size_t operator()(const ObjectKey& key) const {
    const std::hash<std::string_view> hash;
    // Objects of one kind and namespace are many, so the name alone must spread them.
    return hash(key.name) ^ (hash(key.namespace_name) + static_cast<std::size_t>(key.kind)) * 0x9e3779b97f4a7c15U;
  }
};

// Labels in one string, "key=value\n" each, sorted by key: a hundred thousand objects are searched by label
// without a map for each. Keys hold neither '=' nor newline (checked where objects come in).
class LabelText {
 public:
  LabelText() = default;
  explicit LabelText(std::string text) : text_{std::move(text)} {}
  [[nodiscard]] std::optional<std::string_view> find(std::string_view key) const;
  void add(std::string_view key, std::string_view value);  // in ascending order of keys
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

struct Object {
  ObjectKey key;
  std::string uid;
  std::uint64_t revision = 0;  // metadata.resourceVersion
  LabelText labels;
  std::string text;  // the whole object as compact JSON, keys sorted
};

// Shared because one revision stands in the index, in the history and in answers under way at once;
// immutable, so that sharing needs no care.
using ObjectPtr = std::shared_ptr<const Object>;

}  // namespace controller
