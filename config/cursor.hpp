// SPDX-License-Identifier: Apache-2.0
// The sticky cursor over a tree: a parser reads straight down the fields of its kind, and everything that is
// wrong on the way is noted with its place and path. After a mistake reads yield defaults and say nothing
// more, so one mistake is one problem. Knows values and problems, nothing of resources.
#pragma once

#include <concepts>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "config/document.hpp"
#include "net/result.hpp"

namespace config {

// What a rule answers for one value: the value meant, or why it cannot be ("must be at least 3, got 2").
template <class T>
using Checked = net::Result<T, std::string>;

// What the reading of one object gathers.
struct Report {
  std::string file;
  std::string object;  // "BGPPeer/tor1"
  std::vector<Problem> problems;
  // The fields that the kind has, for hints; asked for after a mistake only. May be empty.
  std::function<const std::set<std::string>&()> fields;
  // Where given, the reading explores: it notes every field that it asks for, with its path, and what is absent is
  // read as if it were there and empty.
  std::set<std::string>* asked = nullptr;
};

class Cursor {
 public:
  Cursor(const Value& value, Report& report) : value_{&value}, report_{&report} {}

  // A rule reads one value: either `Checked<T> rule(const Value&)` for something small, or `T rule(Cursor)`
  // for a mapping of its own. Fields that are null count as absent, as in Kubernetes.
  template <class Rule>
  auto required(std::string_view key, Rule rule);  // T, or a default T after a problem
  template <class Rule>
  auto optional(std::string_view key, Rule rule);  // std::optional<T>
  template <class Rule, class T>
  T optional(std::string_view key, Rule rule, T fallback);
  template <class Rule>
  auto list(std::string_view key, Rule rule);  // std::vector<T>; empty when absent
  template <class Rule>
  auto optional_list(std::string_view key, Rule rule);  // std::optional<std::vector<T>>
  template <class Rule>
  auto non_empty_list(std::string_view key, Rule rule);  // the same; where it is given it must have an entry
  template <class Rule>
  auto required_list(std::string_view key, Rule rule);  // at least one entry
  // A mapping of free keys. Each key is checked as well.
  template <class KeyRule, class Rule>
  auto map(std::string_view key, KeyRule key_rule, Rule rule);  // std::map<std::string, T>

  // The mapping under a key; where there is none, one in which every field is absent.
  [[nodiscard]] Cursor object(std::string_view key);
  [[nodiscard]] Cursor required_object(std::string_view key);

  [[nodiscard]] bool has(std::string_view key) const { return member(key) != nullptr; }
  // Fields that are fine and mean nothing here.
  void ignore(std::initializer_list<std::string_view> keys);
  // Fields that other products have and Herald does not: giving one is an error that says so.
  void not_implemented(std::initializer_list<std::string_view> keys);
  // The same, but Go's zero values ("", false, 0) count as absent: Kubernetes writes them out.
  void not_implemented_unless_zero(std::initializer_list<std::string_view> keys);
  // Every other field is a mistake. Call it last.
  void no_other_keys();

  void problem(std::string message) const;                        // with this value as a whole
  void problem(std::string_view key, std::string message) const;  // with a field, given or missing
  [[nodiscard]] bool failed() const { return !report_->problems.empty(); }
  [[nodiscard]] const Value* value() const { return value_; }
  [[nodiscard]] Location location() const;

 private:
  Cursor(const Value* value, const Cursor& parent, std::string_view key, int index)
      : value_{value}, report_{parent.report_}, parent_{&parent}, key_{key}, index_{index} {}

  template <class Rule>
  void explore(Rule& rule, std::string_view key, int index);
  template <class Rule>
  auto read(Rule& rule, const Value& value, std::string_view key, int index);
  template <class Rule>
  auto read_list(std::string_view key, Rule& rule);

  const Value::Member* member(std::string_view key) const;  // null when absent or null
  // The same, and the key is known from now on. `list`: "[]" where it is one.
  const Value::Member* take(std::string_view key, std::string_view list = {});
  [[nodiscard]] std::string elsewhere(std::string_view key) const;
  const Value* sequence(std::string_view key);
  const Value* mapping(std::string_view key, const Value& value);
  [[nodiscard]] std::string path() const;
  [[nodiscard]] std::string path_of(std::string_view key, int index = -1) const;
  void note(const Value& value, std::string field, std::string message) const;

  const Value* value_ = nullptr;  // null: absent or mistaken, so everything in it is absent
  Report* report_;
  const Cursor* parent_ = nullptr;  // outlives its children: they are made by and for its own frame
  std::string_view key_;
  int index_ = -1;
  std::vector<std::string_view> known_;
  std::vector<std::string_view> passed_over_;  // known as well, but not to be proposed to anybody
};

template <class T>
struct IsChecked : std::false_type {};
template <class T>
struct IsChecked<Checked<T>> : std::true_type {};

// The T of a rule.
template <class Rule>
struct RuleResult {
  static auto result() {
    if constexpr (std::invocable<Rule&, const Value&>)
      return std::type_identity<typename std::invoke_result_t<Rule&, const Value&>::value_type>{};
    else
      return std::type_identity<std::invoke_result_t<Rule&, Cursor>>{};
  }
  using type = typename decltype(result())::type;
};
template <class Rule>
using rule_result_t = typename RuleResult<Rule>::type;

// An absent mapping, for what it could hold.
template <class Rule>
void Cursor::explore(Rule& rule, std::string_view key, int index) {
  if constexpr (!std::invocable<Rule&, const Value&>) {
    if (report_->asked == nullptr) return;
    Value empty;
    empty.type = Value::Type::Mapping;
    rule(Cursor{&empty, *this, key, index});
  }
}

template <class Rule>
auto Cursor::read(Rule& rule, const Value& value, std::string_view key, int index) {
  std::optional<rule_result_t<Rule>> result;
  if constexpr (std::invocable<Rule&, const Value&>) {
    auto checked = rule(value);
    if (checked)
      result = std::move(*checked);
    else
      note(value, path_of(key, index), std::move(checked.error()));
  } else {
    const auto before = report_->problems.size();
    if (value.type != Value::Type::Mapping)
      note(value, path_of(key, index), "must be a mapping");
    else
      result = rule(Cursor{&value, *this, key, index});
    // What is only half read would be mistaken once more by whoever looks at it.
    if (report_->problems.size() != before) result.reset();
  }
  return result;
}

template <class Rule>
auto Cursor::required(std::string_view key, Rule rule) {
  using T = rule_result_t<Rule>;
  const auto* found = take(key);
  if (found == nullptr) {
    if (value_ != nullptr) problem(key, "is required");
    explore(rule, key, -1);
    return T{};
  }
  return read(rule, found->value, key, -1).value_or(T{});
}

template <class Rule>
auto Cursor::optional(std::string_view key, Rule rule) {
  const auto* found = take(key);
  if (found == nullptr) {
    explore(rule, key, -1);
    return std::optional<rule_result_t<Rule>>{};
  }
  return read(rule, found->value, key, -1);
}

template <class Rule, class T>
T Cursor::optional(std::string_view key, Rule rule, T fallback) {
  const auto* found = take(key);
  if (found == nullptr) {
    explore(rule, key, -1);
    return fallback;
  }
  auto result = read(rule, found->value, key, -1);
  return result ? T(std::move(*result)) : fallback;
}

template <class Rule>
auto Cursor::read_list(std::string_view key, Rule& rule) {
  std::optional<std::vector<rule_result_t<Rule>>> result;
  const auto* items = sequence(key);
  if (items == nullptr) {
    explore(rule, key, 0);
    return result;
  }
  result.emplace();
  int index = 0;
  for (const auto& item : items->items)
    if (auto entry = read(rule, item, key, index++)) result->push_back(std::move(*entry));
  return result;
}

template <class Rule>
auto Cursor::list(std::string_view key, Rule rule) {
  return read_list(key, rule).value_or(std::vector<rule_result_t<Rule>>{});
}

template <class Rule>
auto Cursor::optional_list(std::string_view key, Rule rule) {
  return read_list(key, rule);
}

template <class Rule>
auto Cursor::non_empty_list(std::string_view key, Rule rule) {
  const auto* found = member(key);
  if (found != nullptr && found->value.type == Value::Type::Sequence && found->value.items.empty())
    problem(key, "must have at least one entry");
  return read_list(key, rule);
}

template <class Rule>
auto Cursor::required_list(std::string_view key, Rule rule) {
  if (value_ != nullptr && member(key) == nullptr) problem(key, "is required");
  return non_empty_list(key, rule).value_or(std::vector<rule_result_t<Rule>>{});
}

template <class KeyRule, class Rule>
auto Cursor::map(std::string_view key, KeyRule key_rule, Rule rule) {
  std::map<std::string, rule_result_t<Rule>> result;
  const auto* found = take(key);
  const auto* entries = found == nullptr ? nullptr : mapping(key, found->value);
  if (entries == nullptr) return result;
  const Cursor inside{entries, *this, key, -1};
  for (const auto& entry : entries->members) {
    Value name;
    name.type = Value::Type::Text;
    name.text = entry.key;
    if (const auto checked = key_rule(name); !checked) inside.problem(entry.key, "its key " + checked.error());
    if (auto checked = rule(entry.value))
      result.emplace(entry.key, std::move(*checked));
    else
      inside.problem(entry.key, std::move(checked.error()));
  }
  return result;
}

}  // namespace config
