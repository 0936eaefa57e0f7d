// SPDX-License-Identifier: Apache-2.0
// The selector language, brought into the form "one of these, each of which is all of those" on the way.
#include <algorithm>
#include <optional>

#include "config/dialects/calico.hpp"
#include "config/rules.hpp"
#include "config/scalar.hpp"

namespace config::calico {
namespace {

using Expression = LabelSelector::Expression;
using Operator = LabelSelector::Operator;
using Conjunction = std::vector<Expression>;
using Alternatives = std::vector<Conjunction>;  // one empty conjunction: everything; no conjunction: nothing

constexpr std::size_t most_alternatives = 64;
constexpr std::size_t deepest = 32;

enum class Sense : std::uint8_t { Plain, Negated };
constexpr Sense opposite(Sense sense) {
  return sense == Sense::Plain ? Sense::Negated : Sense::Plain;
}

// Said twice it means the same; our own selectors must say each thing once.
template <class T>
std::vector<T> without_repeats(const std::vector<T>& said) {
  std::vector<T> once;
  for (const auto& each : said)
    if (std::ranges::count(once, each) == 0) once.push_back(each);
  return once;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_{text} {}

  Checked<std::vector<LabelSelector>> parse() {
    skip_blanks();
    auto alternatives = text_.empty() ? Alternatives{{}} : disjunction(Sense::Plain, 0);
    if (!error_ && !text_.empty()) wrong("has something behind its end: " + std::string{text_.substr(0, 20)});
    if (!error_ && alternatives.empty()) wrong("can match nothing");
    if (error_) return net::fail("is not a selector that Herald reads: it " + *error_);
    std::vector<LabelSelector> selectors;
    for (const auto& conjunction : alternatives) {
      if (conjunction.empty()) return std::vector<LabelSelector>{};  // matches everything
      selectors.push_back({{}, without_repeats(conjunction)});
    }
    return without_repeats(selectors);
  }

 private:
  void wrong(std::string what) {
    if (!error_) error_ = std::move(what);
  }
  void skip_blanks() {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\t' || text_.front() == '\n'))
      text_.remove_prefix(1);
  }
  bool take(std::string_view token) {
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    skip_blanks();
    return true;
  }
  void expect(std::string_view token) {
    if (!error_ && !take(token)) wrong("lacks " + std::string{token} + " before: " + std::string{text_.substr(0, 20)});
  }

  static Alternatives either(Alternatives one, Alternatives other) {
    std::move(other.begin(), other.end(), std::back_inserter(one));
    return one;
  }
  Alternatives both(const Alternatives& one, const Alternatives& other) {
    Alternatives all;
    if (one.size() * other.size() > most_alternatives) {
      wrong("comes to too many alternatives");
      return all;
    }
    for (const auto& left : one) {
      for (const auto& right : other) {
        all.push_back(left);
        all.back().insert(all.back().end(), right.begin(), right.end());
      }
    }
    return all;
  }

  // By De Morgan, a negated "or" is an "and" of what is negated.
  Alternatives disjunction(Sense sense, std::size_t depth) {
    auto all = conjunction(sense, depth);
    while (!error_ && take("||")) {
      auto next = conjunction(sense, depth);
      all = sense == Sense::Plain ? either(std::move(all), std::move(next)) : both(all, next);
    }
    return all;
  }
  Alternatives conjunction(Sense sense, std::size_t depth) {
    auto all = term(sense, depth);
    while (!error_ && take("&&")) {
      auto next = term(sense, depth);
      all = sense == Sense::Plain ? both(all, next) : either(std::move(all), std::move(next));
    }
    return all;
  }
  Alternatives term(Sense sense, std::size_t depth) {
    if (depth == deepest) {
      wrong("is nested too deep");
      return {};
    }
    if (take("!")) return term(opposite(sense), depth + 1);
    if (take("(")) {
      auto inside = disjunction(sense, depth + 1);
      expect(")");
      return inside;
    }
    if (take("all(")) {
      expect(")");
      return sense == Sense::Plain ? Alternatives{{}} : Alternatives{};
    }
    if (take("has(")) {
      Expression expression{label(), sense == Sense::Plain ? Operator::Exists : Operator::DoesNotExist, {}};
      expect(")");
      return {{std::move(expression)}};
    }
    return comparison(sense);
  }
  Alternatives comparison(Sense sense) {
    Expression expression{label(), {}, {}};
    if (error_) return {};
    const auto negated = [](Sense it) { return it == Sense::Negated; };
    bool not_in = negated(sense);
    if (take("==")) {
      expression.values.push_back(value());
    } else if (take("!=")) {
      not_in = !not_in;
      expression.values.push_back(value());
    } else {
      if (take("not")) not_in = !not_in;
      expect("in");
      expect("{");
      do expression.values.push_back(value());
      while (!error_ && take(","));
      expect("}");
    }
    expression.values = without_repeats(expression.values);
    expression.op = not_in ? Operator::NotIn : Operator::In;
    return {{std::move(expression)}};
  }
  std::string label() {
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./";
    const auto length = std::min(text_.find_first_not_of(letters), text_.size());
    std::string name{text_.substr(0, length)};
    if (name.empty()) wrong("lacks a label before: " + std::string{text_.substr(0, 20)});
    if (!is_label_key(name)) wrong("names " + in_quotes(name.substr(0, 63)) + ", which is no label");
    text_.remove_prefix(length);
    skip_blanks();
    return name;
  }
  std::string value() {
    if (error_) return {};
    const char quote = text_.empty() ? '\0' : text_.front();
    const auto end = quote == '\'' || quote == '"' ? text_.find(quote, 1) : std::string_view::npos;
    if (end == std::string_view::npos) {
      wrong("lacks a value in quotes before: " + std::string{text_.substr(0, 20)});
      return {};
    }
    std::string found{text_.substr(1, end - 1)};
    if (!is_label_value(found)) wrong("asks for " + in_quotes(found.substr(0, 63)) + ", which no label can be");
    text_.remove_prefix(end + 1);
    skip_blanks();
    return found;
  }

  std::string_view text_;
  std::optional<std::string> error_;
};

}  // namespace

Checked<std::vector<LabelSelector>> parse_selector(std::string_view text) {
  return Parser{text}.parse();
}

}  // namespace config::calico
