// SPDX-License-Identifier: Apache-2.0
// Base64 (RFC 4648 section 4), in which Secrets carry their data.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace config {

[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);  // strict: padded, no white space
[[nodiscard]] std::string encode_base64(std::string_view bytes);

}  // namespace config
