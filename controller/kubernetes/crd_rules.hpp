// SPDX-License-Identifier: Apache-2.0
// What a CustomResourceDefinition says beyond the types of fields: defaults, bounds, choices, rules between fields, and
// the columns of `kubectl get`. The reader knows all of it too and has the last word; this tells people sooner.
#pragma once

#include <span>
#include <string_view>

#include "config/api_paths.hpp"

namespace controller {

struct CrdRule {
  std::string_view path;   // as in SchemaField; "" for the object itself
  std::string_view terms;  // JSON, merged into the schema found there
};
[[nodiscard]] std::span<const CrdRule> crd_rules(config::Kind kind);

struct PrinterColumn {
  std::string_view name;
  std::string_view type;
  std::string_view path;  // JSONPath
  int priority = 0;       // above 0: with -o wide only
};
[[nodiscard]] std::span<const PrinterColumn> printer_columns(config::Kind kind);

}  // namespace controller
