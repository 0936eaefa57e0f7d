// SPDX-License-Identifier: Apache-2.0
// What somebody meant who mistyped a word.
#pragma once

#include <span>
#include <string_view>

namespace config {

// The known word that is fewest edits away, case ignored; empty when none is close enough to be meant.
[[nodiscard]] std::string_view nearest_word(std::string_view word, std::span<const std::string_view> known);

}  // namespace config
