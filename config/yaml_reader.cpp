// SPDX-License-Identifier: Apache-2.0
// YAML to values over yaml-cpp's event interface. The events are used, not YAML::Node, because they keep
// apart what is quoted from what is not, and let depth and aliases be bounded while reading.
#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "config/document.hpp"
#include "config/scalar.hpp"

namespace config {
namespace {

// Thrown out of yaml-cpp's parser, which knows no other way to be stopped; caught in read_yaml.
struct Refused : std::runtime_error {
  Refused(const YAML::Mark& where, const std::string& why) : std::runtime_error{why}, mark{where} {}
  YAML::Mark mark;
};

std::size_t count(const Value& value) {
  std::size_t total = 1;
  for (const auto& item : value.items) total += count(item);
  for (const auto& member : value.members) total += count(member.value);
  return total;
}

std::size_t depth_of(const Value& value) {
  std::size_t deepest = 0;
  for (const auto& item : value.items) deepest = std::max(deepest, depth_of(item));
  for (const auto& member : value.members) deepest = std::max(deepest, depth_of(member.value));
  return deepest + 1;
}

class Builder final : public YAML::EventHandler {
 public:
  std::optional<Value> take() { return std::exchange(root_, std::nullopt); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    // The parser takes what can begin no value, such as a comma after a mapping in braces, for an empty document, and
    // then for another one, without end.
    if (began_at_ == mark.pos)
      throw Refused{mark, "not valid YAML: this belongs to no value; between documents stands ---"};
    began_at_ = mark.pos;
    root_.reset();
    open_.clear();
    anchors_.clear();
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(at(mark, Value::Type::Null), mark, anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw Refused{mark, "an alias cannot stand inside what it names"};
    copied_ += count(found->second);
    if (copied_ > Limits::copied_values) throw Refused{mark, "aliases make too many copies"};
    if (open_.size() + depth_of(found->second) > Limits::depth) too_deep(mark);
    add(found->second, mark, 0);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    auto value = at(mark, type_of(tag, text, mark));
    value.text = text;
    add(std::move(value), mark, anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, Value::Type::Sequence);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, Value::Type::Mapping);
  }
  void OnMapEnd() override {
    refuse_double_keys(open_.back().value);
    close();
  }

 private:
  struct Open {
    Value value;
    YAML::anchor_t anchor = 0;
    YAML::Mark mark;
    bool has_key = false;  // of a mapping: the last member waits for its value
  };

  static Value at(const YAML::Mark& mark, Value::Type type) {
    Value value;
    value.type = type;
    value.line = mark.line + 1;
    value.column = mark.column + 1;
    return value;
  }

  [[noreturn]] static void too_deep(const YAML::Mark& mark) {
    throw Refused{mark, "nested deeper than " + std::to_string(Limits::depth) + " levels"};
  }

  static Value::Type type_of(const std::string& tag, const std::string& text, const YAML::Mark& mark) {
    if (tag.empty() || tag == "?") return plain_scalar_type(text);
    if (tag == "!" || tag == "tag:yaml.org,2002:str") return Value::Type::Text;
    throw Refused{mark, "the tag " + tag + " is not supported"};
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Value::Type type) {
    if (!tag.empty() && tag != "?" && tag != "!") throw Refused{mark, "the tag " + tag + " is not supported"};
    if (open_.size() >= Limits::depth) too_deep(mark);
    if (awaits_key()) throw Refused{mark, "a key must be text"};
    open_.push_back({at(mark, type), anchor, mark});
  }

  void close() {
    auto done = std::move(open_.back());
    open_.pop_back();
    add(std::move(done.value), done.mark, done.anchor);
  }

  bool awaits_key() const {
    return !open_.empty() && open_.back().value.type == Value::Type::Mapping && !open_.back().has_key;
  }

  void add(Value value, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = value;
    if (open_.empty()) {
      root_ = std::move(value);
      return;
    }
    auto& parent = open_.back();
    if (parent.value.type == Value::Type::Sequence) {
      parent.value.items.push_back(std::move(value));
    } else if (parent.has_key) {
      parent.value.members.back().value = std::move(value);
      parent.has_key = false;
    } else {
      const bool scalar = value.type != Value::Type::Sequence && value.type != Value::Type::Mapping;
      if (!scalar || value.type == Value::Type::Null) throw Refused{mark, "a key must be text"};
      parent.value.members.push_back({std::move(value.text), value.line, value.column, {}});
      parent.has_key = true;
    }
  }

  static void refuse_double_keys(const Value& mapping) {
    std::vector<const Value::Member*> sorted;
    sorted.reserve(mapping.members.size());
    for (const auto& member : mapping.members) sorted.push_back(&member);
    std::ranges::stable_sort(sorted, {}, &Value::Member::key);
    const auto twice = std::ranges::adjacent_find(sorted, {}, &Value::Member::key);
    if (twice == sorted.end()) return;
    YAML::Mark mark;
    mark.line = twice[1]->line - 1;
    mark.column = twice[1]->column - 1;
    throw Refused{mark, "the key " + in_quotes(twice[1]->key) + " is here twice, first in line " +
                            std::to_string(twice[0]->line)};
  }

  std::vector<Open> open_;
  std::map<YAML::anchor_t, Value> anchors_;
  std::optional<Value> root_;
  std::optional<int> began_at_;
  std::size_t copied_ = 0;
};

// Octets of the character that the text begins with; 0 when that is none (RFC 3629 section 4).
std::size_t utf8_length(std::string_view text) {
  const auto octet = [&](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U; };
  const auto first = octet(0);
  const auto second = octet(1);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  // No over-long forms, no surrogates, nothing above U+10FFFF.
  const bool out_of_range = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
                            (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
  const std::size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  for (std::size_t k = 1; k < length; ++k)
    if ((octet(k) & 0xc0U) != 0x80) return 0;
  return out_of_range ? 0 : length;
}

// Where the text stops being UTF-8; its size when it never does. Everything that is printed later relies on it.
std::size_t first_invalid_utf8(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    const auto length = utf8_length(text.substr(i));
    if (length == 0) return i;
    i += length;
  }
  return i;
}

}  // namespace

Documents read_yaml(std::string_view text, const std::string& file) {
  Documents result;
  if (text.size() > Limits::bytes) {
    result.problems.push_back({{file, 1, 1}, "", "", "larger than 64 MiB"});
    return result;
  }
  if (const auto bad = first_invalid_utf8(text); bad < text.size()) {
    const auto line = static_cast<int>(std::ranges::count(text.substr(0, bad), '\n'));
    result.problems.push_back({{file, line + 1, 1}, "", "", "not UTF-8 text"});
    return result;
  }
  const auto refuse = [&](const YAML::Mark& mark, const std::string& why) {
    result.problems.push_back({{file, mark.line + 1, mark.column + 1}, "", "", why});
  };
  try {
    std::istringstream stream{std::string{text}};
    YAML::Parser parser{stream};
    Builder builder;
    while (parser.HandleNextDocument(builder)) {
      // A document of nothing but comments is none.
      auto value = builder.take();
      if (value && value->type != Value::Type::Null) result.values.push_back(std::move(*value));
    }
  } catch (const Refused& error) {
    refuse(error.mark, error.what());
  } catch (const YAML::Exception& error) {
    refuse(error.mark, "not valid YAML: " + error.msg);
  } catch (const std::exception& error) {
    refuse(YAML::Mark{}, std::string{"not valid YAML: "} + error.what());
  }
  return result;
}

}  // namespace config
