// SPDX-License-Identifier: Apache-2.0
#include "controller/api/body.hpp"

#include <charconv>

#include <fmt/format.h>

#include "config/document.hpp"
#include "controller/api/protobuf_body.hpp"

namespace controller {
namespace {

using nlohmann::json;

constexpr auto max_depth = config::Limits::depth;

// How deeply arrays and objects are nested; wrong JSON gives any number.
std::size_t depth_of(std::string_view text) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  auto in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      deepest = std::max(deepest, ++depth);
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

template <class Number>
json number(const std::string& text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? json(value) : json(text);
}

// Bounded by config's own limit of depth.
json tree(const config::Value& value) {
  using Type = config::Value::Type;
  switch (value.type) {
    case Type::Null:
      return nullptr;
    case Type::Boolean:
      return value.text == "true" || value.text == "True" || value.text == "TRUE";
    case Type::Integer:
      return number<std::int64_t>(value.text);
    case Type::Float:
      return number<double>(value.text);
    case Type::Text:
      return value.text;
    case Type::Sequence: {
      auto array = json::array();
      for (const auto& item : value.items) array.push_back(tree(item));
      return array;
    }
    case Type::Mapping:
      break;
  }
  auto object = json::object();
  for (const auto& member : value.members) object[member.key] = tree(member.value);
  return object;
}

}  // namespace

std::string_view media_type(std::string_view content_type) {
  const auto type = content_type.substr(0, content_type.find(';'));
  return type.substr(0, type.find_last_not_of(' ') + 1);
}

ApiResult<json> decode_json(std::string_view text) {
  if (text.empty()) return net::fail(bad_request("the body of the request is empty"));
  if (depth_of(text) > max_depth) {
    return net::fail(bad_request(fmt::format("the body of the request is nested more than {} levels deep", max_depth)));
  }
  try {
    return json::parse(text);
  } catch (const json::parse_error& error) {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error while ..."
    std::string_view what = error.what();
    what.remove_prefix(std::min(what.find("] ") + 2, what.size()));
    return net::fail(bad_request(fmt::format("the body of the request is not JSON: {}", what)));
  }
}

ApiResult<json> decode_yaml(std::string_view text) {
  const auto documents = config::read_yaml(text, "body");
  if (!documents.problems.empty()) {
    const auto& problem = documents.problems.front();
    return net::fail(bad_request(fmt::format("the body of the request is not YAML: line {}, column {}: {}",
                                             problem.location.line, problem.location.column, problem.message)));
  }
  if (documents.values.size() != 1) {
    return net::fail(bad_request(
        fmt::format("the body of the request has {} YAML documents, expected one", documents.values.size())));
  }
  return tree(documents.values.front());
}

ApiResult<json> decode_object(const Request& request) {
  const auto type = media_type(request.content_type);
  if (type == protobuf_type) return decode_protobuf(request.body);
  const auto yaml = type == "application/yaml" || type == "application/x-yaml" || type == "text/yaml";
  if (!yaml && !type.empty() && type != "application/json") {
    return net::fail(unsupported_media_type("application/json, application/yaml"));
  }
  auto decoded = yaml ? decode_yaml(request.body) : decode_json(request.body);
  if (decoded && !decoded->is_object()) return net::fail(bad_request("the body of the request is not an object"));
  return decoded;
}

}  // namespace controller
