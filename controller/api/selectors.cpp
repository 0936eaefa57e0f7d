// SPDX-License-Identifier: Apache-2.0
#include "controller/api/selectors.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/api/lookup.hpp"

namespace controller {
namespace {

using nlohmann::json;

std::optional<std::int64_t> integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// The fields of each kind besides metadata.name and metadata.namespace, as Kubernetes has them.
std::span<const std::string_view> fields_of(config::Kind kind) {
  static constexpr auto secret = std::to_array<std::string_view>({"type"});
  static constexpr auto service = std::to_array<std::string_view>({"spec.type", "spec.clusterIP"});
  static constexpr auto node = std::to_array<std::string_view>({"spec.unschedulable"});
  static constexpr auto name_space = std::to_array<std::string_view>({"status.phase"});
  static constexpr auto event = std::to_array<std::string_view>(
      {"involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
       "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason", "type",
       "source", "reportingComponent"});
  switch (kind) {
    case config::Kind::Secret:
      return secret;
    case config::Kind::Service:
      return service;
    case config::Kind::Node:
      return node;
    case config::Kind::Namespace:
      return name_space;
    case config::Kind::Event:
      return event;
    default:
      return {};
  }
}

}  // namespace

// A sticky cursor: after the first error every step does nothing and failed() is set.
class LabelRequirements::Parser {
 public:
  explicit Parser(std::string_view text) : rest_{text} {}

  std::vector<Requirement> run() {
    std::vector<Requirement> all;
    if (trimmed(rest_).empty()) return all;
    do all.push_back(requirement());
    while (error_.empty() && take(","));
    if (error_.empty() && !trimmed(rest_).empty()) fail("found '" + std::string{trimmed(rest_)} + "', expected ','");
    return all;
  }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  Requirement requirement() {
    Requirement one;
    if (take("!")) {
      one.op = Operator::DoesNotExist;
      one.key = word("a key");
      return one;
    }
    one.key = word("a key");
    if (take("==") || take("=")) {
      one.values.push_back(value());
    } else if (take("!=")) {
      one.op = Operator::NotIn;
      one.values.push_back(value());
    } else if (take(">") || take("<")) {
      one.op = last_ == '>' ? Operator::GreaterThan : Operator::LessThan;
      one.values.push_back(word("a number"));
      if (!integer(one.values.front())) fail("'" + one.values.front() + "' is not a number");
    } else if (take_word("in")) {
      one.values = list();
    } else if (take_word("notin")) {
      one.op = Operator::NotIn;
      one.values = list();
    } else {
      one.op = Operator::Exists;
    }
    return one;
  }

  std::vector<std::string> list() {
    std::vector<std::string> values;
    if (!take("(")) fail("expected '(' after in or notin");
    if (error_.empty()) {
      do values.push_back(value());
      while (error_.empty() && take(","));
    }
    if (error_.empty() && !take(")")) fail("expected ')'");
    return values;
  }

  void skip_spaces() { rest_.remove_prefix(std::min(rest_.find_first_not_of(' '), rest_.size())); }

  bool take(std::string_view token) {
    skip_spaces();
    if (!error_.empty() || !rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    last_ = token.back();
    return true;
  }

  bool take_word(std::string_view word) {
    skip_spaces();
    if (!rest_.starts_with(word)) return false;
    const auto behind = rest_.substr(word.size());
    if (!behind.empty() && behind.front() != ' ' && behind.front() != '(') return false;
    return take(word);
  }

  // Letters, digits and "-_./", which is all that keys and values are made of; may be empty.
  std::string value() {
    skip_spaces();
    const auto end = std::ranges::find_if(rest_, [](char c) {
      return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view{"-_./"}.find(c) != std::string_view::npos);
    });
    std::string text{rest_.begin(), end};
    rest_.remove_prefix(text.size());
    return text;
  }

  std::string word(std::string_view what) {
    auto text = value();
    if (text.empty()) fail(fmt::format("found '{}', expected {}", rest_.substr(0, 1), what));
    return text;
  }

  void fail(std::string why) {
    if (error_.empty()) error_ = std::move(why);
  }

  std::string_view rest_;
  std::string error_;
  char last_ = 0;
};

net::Result<LabelRequirements, std::string> LabelRequirements::parse(std::string_view text) {
  Parser parser{text};
  LabelRequirements parsed;
  parsed.requirements_ = parser.run();
  if (!parser.error().empty()) return net::fail(parser.error());
  return parsed;
}

bool LabelRequirements::matches(const LabelText& labels) const {
  return std::ranges::all_of(requirements_, [&labels](const Requirement& one) {
    const auto value = labels.find(one.key);
    const auto listed = value && std::ranges::find(one.values, *value) != one.values.end();
    switch (one.op) {
      case Operator::In:
        return listed;
      case Operator::NotIn:
        return !listed;
      case Operator::Exists:
        return value.has_value();
      case Operator::DoesNotExist:
        return !value.has_value();
      case Operator::GreaterThan:
      case Operator::LessThan:
        break;
    }
    const auto number = value ? integer(*value) : std::nullopt;
    const auto bound = integer(one.values.front());
    if (!number || !bound) return false;
    return one.op == Operator::GreaterThan ? *number > *bound : *number < *bound;
  });
}

net::Result<FieldRequirements, std::string> FieldRequirements::parse(std::string_view text, config::Kind kind) {
  FieldRequirements parsed;
  while (!text.empty()) {
    const auto term = text.substr(0, text.find(','));
    text.remove_prefix(std::min(term.size() + 1, text.size()));
    const auto equals = term.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return net::fail(fmt::format("invalid field selector '{}': expected FIELD=VALUE or FIELD!=VALUE", term));
    }
    Requirement one;
    one.equal = term[equals - 1] != '!';
    one.field = trimmed(term.substr(0, one.equal ? equals : equals - 1));
    const auto twice = equals + 1 < term.size() && term[equals + 1] == '=';
    one.value = trimmed(term.substr(equals + (twice ? 2 : 1)));
    const auto fields = fields_of(kind);
    if (one.field != "metadata.name" && one.field != "metadata.namespace" &&
        std::ranges::find(fields, one.field) == fields.end()) {
      return net::fail(fmt::format("field label not supported: {}", one.field));
    }
    parsed.requirements_.push_back(std::move(one));
  }
  return parsed;
}

bool FieldRequirements::matches(const Object& object) const {
  json parsed;
  return std::ranges::all_of(requirements_, [&](const Requirement& one) {
    if (one.field == "metadata.name") return (object.key.name == one.value) == one.equal;
    if (one.field == "metadata.namespace") return (object.key.namespace_name == one.value) == one.equal;
    if (parsed.is_null()) parsed = json::parse(object.text, nullptr, false);
    // The source of an Event is an object; its component is meant.
    const auto path = one.field == "source" ? std::string_view{"source.component"} : std::string_view{one.field};
    return (text_at(parsed, path) == one.value) == one.equal;
  });
}

}  // namespace controller
