// SPDX-License-Identifier: Apache-2.0
#include "config/source/contents.hpp"

#include <array>
#include <fstream>

namespace config {

std::optional<std::string> contents(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  if (!file) return std::nullopt;
  std::string text;
  std::array<char, 1 << 16> block;
  do {
    file.read(block.data(), block.size());
    text.append(block.data(), static_cast<std::size_t>(file.gcount()));
  } while (file);
  if (file.bad()) return std::nullopt;
  return text;
}

}  // namespace config
