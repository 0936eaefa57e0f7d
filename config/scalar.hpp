// SPDX-License-Identifier: Apache-2.0
// What an unquoted YAML scalar means, and how text is shown in messages. Shared by reader and printer, so
// that what one writes the other reads back.
#pragma once

#include <string>
#include <string_view>

#include "config/document.hpp"

namespace config {

// The YAML 1.2 core schema, but numbers only in the forms that JSON has too: 010 and 0x10 are text, because
// YAML 1.1 and 1.2 read them differently.
[[nodiscard]] Value::Type plain_scalar_type(std::string_view text);

// True when some YAML reader takes the plain text for something else than a string.
[[nodiscard]] bool needs_quotes(std::string_view text);

// In double quotes, with JSON's escapes; shortened for messages is the caller's business.
[[nodiscard]] std::string in_quotes(std::string_view text);

}  // namespace config
