// SPDX-License-Identifier: Apache-2.0
// JSON to values. nlohmann's reader says nothing of positions, so a first pass notes where every value and
// key begins; the reader's events come in the same order.
#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "config/document.hpp"
#include "config/scalar.hpp"

namespace config {
namespace {

struct Position {
  int line = 1;
  int column = 1;
};

class PositionCounter {
 public:
  void pass(char c) {
    if (c == '\n') {
      ++now_.line;
      now_.column = 1;
    } else {
      ++now_.column;
    }
  }
  [[nodiscard]] Position now() const { return now_; }

 private:
  Position now_;
};

Position position_of(std::string_view text, std::size_t offset) {
  PositionCounter counter;
  for (const char c : text.substr(0, std::min(offset, text.size()))) counter.pass(c);
  return counter.now();
}

// Where each value and key begins, in order. Right for valid JSON; anything else is refused by the reader.
std::vector<Position> token_positions(std::string_view text) {
  enum class In : std::uint8_t { Between, String, Escape, Word };
  std::vector<Position> positions;
  PositionCounter counter;
  auto in = In::Between;
  for (const char c : text) {
    const bool separator = std::string_view{" \t\r\n,:]}"}.find(c) != std::string_view::npos;
    if (in == In::Escape) {
      in = In::String;
    } else if (in == In::String) {
      in = c == '\\' ? In::Escape : c == '"' ? In::Between : In::String;
    } else if (separator) {
      in = In::Between;
    } else if (in == In::Between) {
      positions.push_back(counter.now());
      in = c == '"' ? In::String : c == '{' || c == '[' ? In::Between : In::Word;
    }
    counter.pass(c);
  }
  return positions;
}

std::string too_deep() {
  return "nested deeper than " + std::to_string(Limits::depth) + " levels";
}

// nlohmann's SAX interface; a handler that answers false stops the reader.
class Builder {
 public:
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  Builder(std::string_view text, const std::string& file)
      : text_{text}, file_{file}, positions_{token_positions(text)} {}

  bool null() { return add(begin(Value::Type::Null)); }
  bool boolean(bool value) { return add(begin(Value::Type::Boolean, value ? "true" : "false")); }
  bool number_integer(number_integer_t value) { return add(begin(Value::Type::Integer, std::to_string(value))); }
  bool number_unsigned(number_unsigned_t value) { return add(begin(Value::Type::Integer, std::to_string(value))); }
  bool number_float(number_float_t /*value*/, const string_t& text) { return add(begin(Value::Type::Float, text)); }
  bool string(string_t& text) { return add(begin(Value::Type::Text, std::move(text))); }
  bool binary(binary_t& /*value*/) { return false; }
  bool start_object(std::size_t /*size*/) { return open(Value::Type::Mapping); }
  bool start_array(std::size_t /*size*/) { return open(Value::Type::Sequence); }
  bool end_array() { return close(); }

  bool key(string_t& text) {
    const auto where = next_position();
    open_.back().members.push_back({std::move(text), where.line, where.column, {}});
    return true;
  }

  bool end_object() {
    std::vector<const Value::Member*> sorted;
    for (const auto& member : open_.back().members) sorted.push_back(&member);
    std::ranges::stable_sort(sorted, {}, &Value::Member::key);
    const auto twice = std::ranges::adjacent_find(sorted, {}, &Value::Member::key);
    if (twice == sorted.end()) return close();
    return refuse(
        {twice[1]->line, twice[1]->column},
        "the key " + in_quotes(twice[1]->key) + " is here twice, first in line " + std::to_string(twice[0]->line));
  }

  template <class Exception>
  bool parse_error(std::size_t offset, const std::string& /*token*/, const Exception& error) {
    std::string why = error.what();
    // "[json.exception.parse_error.101] parse error at line 1, column 2: …": the end is what helps.
    const auto detail = why.rfind("; ") == std::string::npos ? why.rfind(": ") : why.find(": ");
    if (detail != std::string::npos) why.erase(0, detail + 2);
    return refuse(position_of(text_, offset == 0 ? 0 : offset - 1), "not valid JSON: " + why);
  }

  Documents take() {
    if (documents_.problems.empty()) documents_.values.push_back(std::move(root_));
    return std::move(documents_);
  }

 private:
  Position next_position() { return next_ < positions_.size() ? positions_[next_++] : Position{0, 0}; }

  Value begin(Value::Type type, std::string text = {}) {
    const auto where = next_position();
    Value value;
    value.type = type;
    value.line = where.line;
    value.column = where.column;
    value.text = std::move(text);
    return value;
  }

  bool open(Value::Type type) {
    auto value = begin(type);
    if (open_.size() >= Limits::depth) return refuse({value.line, value.column}, too_deep());
    open_.push_back(std::move(value));
    return true;
  }

  bool close() {
    auto value = std::move(open_.back());
    open_.pop_back();
    return add(std::move(value));
  }

  bool add(Value value) {
    if (open_.empty())
      root_ = std::move(value);
    else if (open_.back().type == Value::Type::Sequence)
      open_.back().items.push_back(std::move(value));
    else
      open_.back().members.back().value = std::move(value);
    return true;
  }

  bool refuse(Position where, std::string why) {
    documents_.problems.push_back({{file_, where.line, where.column}, "", "", std::move(why)});
    return false;
  }

  std::string_view text_;
  const std::string& file_;
  std::vector<Position> positions_;
  std::size_t next_ = 0;
  std::vector<Value> open_;
  Value root_;
  Documents documents_;
};

struct TooDeep {};

Value to_value(const nlohmann::json& json, std::size_t levels_left) {
  if (levels_left == 0) throw TooDeep{};
  Value value;
  switch (json.type()) {
    case nlohmann::json::value_t::object:
      value.type = Value::Type::Mapping;
      value.members.reserve(json.size());
      for (const auto& [key, member] : json.items())
        value.members.push_back({key, 0, 0, to_value(member, levels_left - 1)});
      break;
    case nlohmann::json::value_t::array:
      value.type = Value::Type::Sequence;
      value.items.reserve(json.size());
      for (const auto& item : json) value.items.push_back(to_value(item, levels_left - 1));
      break;
    case nlohmann::json::value_t::string:
      value.type = Value::Type::Text;
      value.text = json.get_ref<const std::string&>();
      break;
    case nlohmann::json::value_t::boolean:
      value.type = Value::Type::Boolean;
      value.text = json.get<bool>() ? "true" : "false";
      break;
    case nlohmann::json::value_t::number_integer:
    case nlohmann::json::value_t::number_unsigned:
      value.type = Value::Type::Integer;
      value.text = json.dump();
      break;
    case nlohmann::json::value_t::number_float:
      value.type = Value::Type::Float;
      value.text = json.dump();
      break;
    case nlohmann::json::value_t::null:
    case nlohmann::json::value_t::binary:
    case nlohmann::json::value_t::discarded:
      break;
  }
  return value;
}

}  // namespace

Documents read_json(std::string_view text, const std::string& file) {
  if (text.size() > Limits::bytes) return {{}, {{{file, 1, 1}, "", "", "larger than 64 MiB"}}};
  Builder builder{text, file};
  nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

Documents read_tree(const nlohmann::json& json) {
  Documents result;
  try {
    result.values.push_back(to_value(json, Limits::depth));
  } catch (const TooDeep&) {
    result.problems.push_back({{}, "", "", too_deep()});
  }
  return result;
}

}  // namespace config
