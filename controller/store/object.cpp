// SPDX-License-Identifier: Apache-2.0
#include "controller/store/object.hpp"

namespace controller {

std::optional<std::string_view> LabelText::find(std::string_view key) const {
  std::string_view rest = text_;
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    if (line.size() > key.size() && line[key.size()] == '=' && line.starts_with(key)) {
      return line.substr(key.size() + 1);
    }
    rest.remove_prefix(line.size() + 1);
  }
  return std::nullopt;
}

void LabelText::add(std::string_view key, std::string_view value) {
  text_.append(key).append("=").append(value).append("\n");
}

}  // namespace controller
