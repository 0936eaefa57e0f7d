// SPDX-License-Identifier: Apache-2.0
#include "ctl/words.hpp"

namespace ctl {

using nlohmann::json;

std::string word(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return "-";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string joined(const json& object, const char* key, const char* between) {
  std::string text;
  const auto found = object.find(key);
  if (found != object.end())
    for (const auto& entry : *found)
      text += (text.empty() ? "" : between) + (entry.is_string() ? entry.get<std::string>() : entry.dump());
  return text.empty() ? "-" : text;
}

}  // namespace ctl
