// SPDX-License-Identifier: Apache-2.0
// The fields of each kind as tables: what `kubectl explain` tells of them. For Herald's kinds these are all
// fields there are; for the core kinds, what Kubernetes has in the parts used here.
#pragma once

#include <span>
#include <string_view>

#include "config/api_paths.hpp"

namespace controller {

struct SchemaField {
  enum class Type : std::uint8_t { Text, Integer, Boolean, Map, Object, Duration, TextOrInteger, Selector, Any };
  // "spec.ports[].port"; "[]" after a name: a list of what follows.
  std::string_view path;
  Type type = Type::Text;
  std::string_view description;
  std::string_view merged_by;  // of a list: the key of its entries; "set" where they are values; see ListRule
};

// Without apiVersion, kind and metadata, which all kinds have.
[[nodiscard]] std::span<const SchemaField> fields_of(config::Kind kind);
[[nodiscard]] std::span<const SchemaField> metadata_fields();
[[nodiscard]] std::string_view description_of(config::Kind kind);

// Tables, by origin.
[[nodiscard]] std::span<const SchemaField> herald_fields(config::Kind kind);
[[nodiscard]] std::span<const SchemaField> core_fields(config::Kind kind);

}  // namespace controller
