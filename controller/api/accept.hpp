// SPDX-License-Identifier: Apache-2.0
// Which of the forms we can answer in a client prefers, by its Accept header: the object as it is, a Table
// with columns for people, or the metadata alone. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace controller {

struct Form {
  enum class Shape : std::uint8_t { Object, Table, Metadata };
  Shape shape = Shape::Object;
  std::string version;  // of meta.k8s.io: "v1" or "v1beta1"

  [[nodiscard]] std::string content_type() const;
};

// Nothing when none of them is acceptable. Without a header everything is.
[[nodiscard]] std::optional<Form> choose_form(std::string_view accept);

// Of discovery: does the client take the aggregated form, and in which version ("v2", "v2beta1")?
[[nodiscard]] std::optional<std::string> aggregated_discovery_version(std::string_view accept);
// Does the client ask for this media type, parameters aside?
[[nodiscard]] bool accepts(std::string_view accept, std::string_view media_type);

}  // namespace controller
