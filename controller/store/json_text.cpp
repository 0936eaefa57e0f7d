// SPDX-License-Identifier: Apache-2.0
#include "controller/store/json_text.hpp"

#include <algorithm>
#include <charconv>

namespace controller {
namespace {

using nlohmann::json;

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

// Of numbers, true, false and null.
bool in_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '+' || c == '.' || c == 'E';
}

bool is_object(std::string_view value) {
  return value.starts_with('{');
}

bool needs_escape(unsigned char c) {
  return c < 0x20 || c >= 0x7f || c == '"' || c == '\\';
}

// RFC 7396 section 2; nothing when it makes no difference.
std::optional<std::string> merged(std::string_view target, std::string_view patch) {
  const auto changes = JsonMembers::of(patch);
  if (!changes) return std::nullopt;  // not JSON: whoever gave it is told elsewhere
  auto into = JsonMembers::of(target);
  auto changed = !into.has_value();
  if (!into) into.emplace();
  for (const auto& [name, value] : *changes) changed = into->merge(name, value) || changed;
  return changed ? std::optional{into->text()} : std::nullopt;
}

}  // namespace

std::string compact(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string unescaped(std::string_view raw) {
  if (raw.find('\\') == std::string_view::npos) return std::string{raw};
  std::string quoted{'"'};
  quoted.append(raw).append("\"");
  const auto parsed = json::parse(quoted, nullptr, false);
  return parsed.is_string() ? parsed.get<std::string>() : std::string{};
}

void JsonCursor::fail() {
  at_ = text_.size();
  ok_ = false;
}

void JsonCursor::skip_space() {
  while (at_ < text_.size() && is_space(text_[at_])) ++at_;
}

bool JsonCursor::take(char expected) {
  skip_space();
  if (at_ == text_.size() || text_[at_] != expected) {
    fail();
    return false;
  }
  ++at_;
  return true;
}

bool JsonCursor::open(char bracket) {
  skip_space();
  if (at_ == text_.size() || text_[at_] != bracket) {
    static_cast<void>(value());
    return false;
  }
  ++at_;
  first_ = true;
  return true;
}

bool JsonCursor::more(char bracket) {
  skip_space();
  const auto first = std::exchange(first_, false);
  if (at_ == text_.size()) {
    fail();
    return false;
  }
  if (text_[at_] == bracket) {
    ++at_;
    return false;
  }
  return first || take(',');
}

void JsonCursor::skip_string() {
  const auto begin = at_ + 1;
  for (auto quote = text_.find('"', begin); quote != std::string_view::npos; quote = text_.find('"', quote + 1)) {
    // One that an odd number of backslashes stands before belongs to the string.
    auto slash = quote;
    while (slash > begin && text_[slash - 1] == '\\') --slash;
    if ((quote - slash) % 2 != 0) continue;
    at_ = quote + 1;
    return;
  }
  fail();
}

void JsonCursor::skip_word() {
  const auto before = at_;
  while (at_ < text_.size() && in_word(text_[at_])) ++at_;
  if (at_ == before) fail();
}

std::string_view JsonCursor::raw_string() {
  if (!at_string()) {
    fail();
    return {};
  }
  const auto begin = at_ + 1;
  skip_string();
  return ok_ ? text_.substr(begin, at_ - begin - 1) : std::string_view{};
}

bool JsonCursor::at_string() {
  skip_space();
  return at_ < text_.size() && text_[at_] == '"';
}

std::string_view JsonCursor::value() {
  skip_space();
  const auto begin = at_;
  std::size_t depth = 0;
  while (at_ < text_.size()) {
    const auto c = text_[at_];
    if (c == '{' || c == '[') {
      ++depth;
      ++at_;
    } else if (c == '"') {
      skip_string();
    } else if (depth == 0) {
      skip_word();
    } else if (c == '}' || c == ']') {
      --depth;
      ++at_;
    } else {
      ++at_;
    }
    if (depth == 0) return ok_ ? text_.substr(begin, at_ - begin) : std::string_view{};
  }
  fail();
  return {};
}

std::string JsonCursor::string() {
  if (at_string()) return unescaped(raw_string());
  static_cast<void>(value());
  return {};
}

std::optional<std::uint64_t> JsonCursor::number() {
  const auto word = value();
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return number;
}

bool JsonCursor::consumed() {
  skip_space();
  return ok_ && at_ == text_.size();
}

std::optional<JsonMembers> JsonMembers::of(std::string_view object) {
  if (!is_object(object)) return std::nullopt;
  JsonMembers out;
  auto in_order = true;
  JsonCursor in{object};
  in.members([&](std::string_view name) {
    in_order = in_order && (out.members_.empty() || out.members_.back().name < name);
    out.members_.push_back({name, in.value()});
  });
  if (!in.consumed()) return std::nullopt;
  if (in_order) return out;
  // Written by somebody else: put in order, and of two of one name the last counts.
  auto given = std::exchange(out.members_, {});
  for (const auto& [name, value] : given) out.set(name, value);
  return out;
}

JsonMembers::Members::iterator JsonMembers::place_of(std::string_view name) {
  return std::lower_bound(members_.begin(), members_.end(), name,
                          [](const Member& member, std::string_view wanted) { return member.name < wanted; });
}

std::string_view JsonMembers::find(std::string_view name) const {
  const auto* place = std::ranges::lower_bound(begin(), end(), name, {}, &Member::name);
  return place != end() && place->name == name ? place->value : std::string_view{};
}

void JsonMembers::set(std::string_view name, std::string_view value) {
  const auto place = place_of(name);
  if (place != members_.end() && place->name == name) {
    place->value = value;
  } else {
    members_.insert(place, Member{name, value});
  }
}

bool JsonMembers::erase(std::string_view name) {
  const auto place = place_of(name);
  if (place == members_.end() || place->name != name) return false;
  members_.erase(place);
  return true;
}

bool JsonMembers::merge(std::string_view name, std::string_view patch) {
  if (patch == "null") return erase(name);
  const auto before = find(name);
  if (!is_object(patch)) {
    if (before == patch) return false;
    set(name, patch);
    return true;
  }
  auto after = merged(before, patch);
  if (!after) return false;
  set(name, keep(std::move(*after)));
  return true;
}

std::string_view JsonMembers::keep(std::string text) {
  kept_.push_front(std::move(text));
  return kept_.front();
}

std::string JsonMembers::text() const {
  std::size_t size = 2;
  for (const auto& [name, value] : members_) size += name.size() + value.size() + 4;
  std::string out;
  out.reserve(size);
  out += '{';
  for (const auto& [name, value] : members_) {
    if (out.size() > 1) out += ',';
    out.append("\"").append(name).append("\":").append(value);
  }
  out += '}';
  return out;
}

void JsonWriter::comma() {
  if (!out_.empty() && out_.back() != '{' && out_.back() != '[' && out_.back() != ':') out_ += ',';
}

JsonWriter& JsonWriter::begin(char bracket) {
  comma();
  out_ += bracket;
  return *this;
}

JsonWriter& JsonWriter::end(char bracket) {
  out_ += bracket;
  return *this;
}

JsonWriter& JsonWriter::name(std::string_view name) {
  comma();
  out_.append("\"").append(name).append("\":");
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view value) {
  comma();
  if (std::ranges::none_of(value, needs_escape)) {
    out_.append("\"").append(value).append("\"");
  } else {
    out_ += compact(json(value));
  }
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view value) {
  comma();
  out_ += value;
  return *this;
}

}  // namespace controller
