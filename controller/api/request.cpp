// SPDX-License-Identifier: Apache-2.0
#include "controller/api/request.hpp"

#include <algorithm>

namespace controller {
namespace {

std::optional<unsigned> hexadecimal(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

enum class Plus : std::uint8_t { Kept, IsSpace };

// RFC 3986 section 2.1; nothing for a '%' without two digits.
std::optional<std::string> percent_decoded(std::string_view text, Plus plus) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus == Plus::IsSpace) {
      decoded += ' ';
    } else if (text[i] != '%') {
      decoded += text[i];
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const auto high = hexadecimal(text[i + 1]);
      const auto low = hexadecimal(text[i + 2]);
      if (!high || !low) return std::nullopt;
      decoded += static_cast<char>(*high << 4U | *low);
      i += 2;
    }
  }
  return decoded;
}

}  // namespace

std::optional<Query> Query::parse(std::string_view text) {
  Query query;
  while (!text.empty()) {
    const auto parameter = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(parameter.size() + 1, text.size()));
    if (parameter.empty()) continue;
    const auto equals = parameter.find('=');
    auto name = percent_decoded(parameter.substr(0, equals), Plus::IsSpace);
    auto value = percent_decoded(equals == std::string_view::npos ? "" : parameter.substr(equals + 1), Plus::IsSpace);
    if (!name || !value) return std::nullopt;
    query.parameters_.emplace_back(std::move(*name), std::move(*value));
  }
  return query;
}

std::string_view Query::get(std::string_view name) const {
  const auto found = std::ranges::find(parameters_, name, &std::pair<std::string, std::string>::first);
  return found == parameters_.end() ? std::string_view{} : std::string_view{found->second};
}

bool Query::has(std::string_view name) const {
  return std::ranges::find(parameters_, name, &std::pair<std::string, std::string>::first) != parameters_.end();
}

bool Query::flag(std::string_view name) const {
  const auto value = get(name);
  return value == "true" || value == "1" || (value.empty() && has(name));
}

bool set_target(Request& request, std::string_view target) {
  const auto mark = target.find('?');
  auto path = percent_decoded(target.substr(0, mark), Plus::Kept);
  auto query = Query::parse(mark == std::string_view::npos ? "" : target.substr(mark + 1));
  if (!path || !query) return false;
  request.path = std::move(*path);
  request.query = std::move(*query);
  return true;
}

}  // namespace controller
