// SPDX-License-Identifier: Apache-2.0
#include "insight/node_names.hpp"

#include <cstddef>

#include <fmt/format.h>

namespace insight {
namespace {

constexpr std::size_t most_names = 4;

}  // namespace

std::string names(const NodeNames& nodes) {
  std::string out;
  std::size_t count = 0;
  for (const auto& node : nodes) {
    if (count == most_names) return out + fmt::format(" and {} more", nodes.size() - most_names);
    out += (count++ == 0 ? "" : count == nodes.size() ? " and " : ", ") + node;
  }
  return out;
}

}  // namespace insight
