// SPDX-License-Identifier: Apache-2.0
#include "config/scalar.hpp"

#include <algorithm>
#include <array>

namespace config {
namespace {

bool digit(char c) {
  return c >= '0' && c <= '9';
}

// Takes digits off the front; how many.
std::size_t take_digits(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), digit);
  const auto taken = static_cast<std::size_t>(end - text.begin());
  text.remove_prefix(taken);
  return taken;
}

// JSON's number grammar, RFC 8259 section 6.
Value::Type number_type(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const bool leading_zero = text.starts_with('0');
  const auto whole = take_digits(text);
  if (whole == 0 || (leading_zero && whole > 1)) return Value::Type::Text;
  if (text.empty()) return Value::Type::Integer;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (take_digits(text) == 0) return Value::Type::Text;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    if (take_digits(text) == 0) return Value::Type::Text;
  }
  return text.empty() ? Value::Type::Float : Value::Type::Text;
}

bool one_of(std::string_view text, auto... words) {
  return ((text == words) || ...);
}

bool plain_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || digit(c) ||
         std::string_view{"-_./+@=<>^~ ():"}.find(c) != std::string_view::npos;
}

}  // namespace

Value::Type plain_scalar_type(std::string_view text) {
  if (one_of(text, "", "~", "null", "Null", "NULL")) return Value::Type::Null;
  if (one_of(text, "true", "True", "TRUE", "false", "False", "FALSE")) return Value::Type::Boolean;
  return number_type(text);
}

bool needs_quotes(std::string_view text) {
  if (plain_scalar_type(text) != Value::Type::Text) return true;
  // YAML 1.1's words for truth.
  if (one_of(text, "y", "Y", "n", "N", "yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF"))
    return true;
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '/'; };
  const char first = text.front();
  // Anything that begins like a number is quoted unless it is plainly an address or a duration.
  if (!letter(first)) {
    if (!digit(first)) return true;
    if (!text.ends_with("s") && std::ranges::count(text, '.') != 3 && text.find("::") == std::string_view::npos)
      return true;
  }
  if (text.back() == ' ' || text.back() == ':' || text.find(": ") != std::string_view::npos) return true;
  return !std::ranges::all_of(text, plain_character);
}

std::string in_quotes(std::string_view text) {
  static constexpr std::string_view hex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.append({'\\', c});
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (octet < 0x20 || octet == 0x7f) {
      out.append("\\u00").append({hex[octet >> 4U], hex[octet & 15U]});
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace config
