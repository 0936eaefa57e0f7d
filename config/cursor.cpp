// SPDX-License-Identifier: Apache-2.0
#include "config/cursor.hpp"

#include <algorithm>

#include "config/nearest.hpp"

namespace config {

Cursor Cursor::object(std::string_view key) {
  const auto* found = take(key);
  return {found == nullptr ? nullptr : mapping(key, found->value), *this, key, -1};
}

Cursor Cursor::required_object(std::string_view key) {
  if (value_ != nullptr && member(key) == nullptr) problem(key, "is required");
  return object(key);
}

void Cursor::ignore(std::initializer_list<std::string_view> keys) {
  passed_over_.insert(passed_over_.end(), keys);
}

void Cursor::not_implemented(std::initializer_list<std::string_view> keys) {
  ignore(keys);
  for (const auto key : keys)
    if (has(key)) problem(key, "is not implemented by Herald");
}

void Cursor::not_implemented_unless_zero(std::initializer_list<std::string_view> keys) {
  ignore(keys);
  for (const auto key : keys) {
    const auto* found = member(key);
    if (found == nullptr) continue;
    const auto& value = found->value;
    const bool scalar = value.type != Value::Type::Sequence && value.type != Value::Type::Mapping;
    if (!scalar || !(value.text.empty() || value.text == "false" || value.text == "0"))
      problem(key, "is not implemented by Herald");
  }
}

void Cursor::no_other_keys() {
  if (value_ == nullptr) return;
  for (const auto& member : value_->members) {
    if (std::ranges::find(known_, member.key) != known_.end()) continue;
    if (std::ranges::find(passed_over_, member.key) != passed_over_.end()) continue;
    const auto close = nearest_word(member.key, known_);
    std::string message = "is not a field that Herald knows";
    if (!close.empty())
      message.append("; did you mean ").append(close).append("?");
    else if (const auto other = elsewhere(member.key); !other.empty())
      message.append(" here; there is ").append(other);
    report_->problems.push_back(
        {{report_->file, member.line, member.column}, report_->object, path_of(member.key), std::move(message)});
  }
}

// A field of this name in another place of the kind.
std::string Cursor::elsewhere(std::string_view key) const {
  if (!report_->fields) return {};
  for (const auto& field : report_->fields()) {
    const auto name = std::string_view{field}.substr(field.rfind('.') + 1);
    if (name.substr(0, name.find('[')) == key) return field;
  }
  return {};
}

void Cursor::problem(std::string message) const {
  if (value_ != nullptr) note(*value_, path(), std::move(message));
}

void Cursor::problem(std::string_view key, std::string message) const {
  if (value_ == nullptr) return;
  const auto* found = value_->find(key);
  // A null has no place of its own worth showing; its key does.
  if (found != nullptr && found->value.type == Value::Type::Null)
    report_->problems.push_back(
        {{report_->file, found->line, found->column}, report_->object, path_of(key), std::move(message)});
  else
    note(found != nullptr ? found->value : *value_, path_of(key), std::move(message));
}

Location Cursor::location() const {
  return value_ == nullptr ? Location{report_->file} : Location{report_->file, value_->line, value_->column};
}

const Value::Member* Cursor::member(std::string_view key) const {
  const auto* found = value_ == nullptr ? nullptr : value_->find(key);
  return found == nullptr || found->value.type == Value::Type::Null ? nullptr : found;
}

const Value::Member* Cursor::take(std::string_view key, std::string_view list) {
  known_.push_back(key);
  if (report_->asked != nullptr) report_->asked->insert(path_of(key).append(list));
  return member(key);
}

const Value* Cursor::sequence(std::string_view key) {
  const auto* found = take(key, "[]");
  if (found == nullptr) return nullptr;
  if (found->value.type == Value::Type::Sequence) return &found->value;
  note(found->value, path_of(key), "must be a list");
  return nullptr;
}

const Value* Cursor::mapping(std::string_view key, const Value& value) {
  if (value.type == Value::Type::Mapping) return &value;
  note(value, path_of(key), "must be a mapping");
  return nullptr;
}

std::string Cursor::path() const {
  return parent_ == nullptr ? std::string{} : parent_->path_of(key_, index_);
}

std::string Cursor::path_of(std::string_view key, int index) const {
  auto out = path();
  if (key.find_first_of("./") != std::string_view::npos) {
    out.append("[").append(key).append("]");
  } else {
    if (!out.empty()) out += '.';
    out.append(key);
  }
  if (index >= 0) out.append("[").append(std::to_string(index)).append("]");
  return out;
}

void Cursor::note(const Value& value, std::string field, std::string message) const {
  report_->problems.push_back(
      {{report_->file, value.line, value.column}, report_->object, std::move(field), std::move(message)});
}

}  // namespace config
