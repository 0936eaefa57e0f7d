// SPDX-License-Identifier: Apache-2.0
#include "config/rules.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "config/scalar.hpp"

namespace config {
namespace {

using net::fail;

template <class T>
std::optional<T> parse_whole(std::string_view text) {
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_lower_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// Labels of RFC 1123 section 2.1 in lower case, joined by dots.
bool is_subdomain(std::string_view name) {
  if (name.empty() || name.size() > 253) return false;
  for (;;) {
    const auto part = name.substr(0, name.find('.'));
    const bool valid = !part.empty() && is_lower_alphanumeric(part.front()) && is_lower_alphanumeric(part.back()) &&
                       std::ranges::all_of(part, [](char c) { return is_lower_alphanumeric(c) || c == '-'; });
    if (!valid) return false;
    if (part.size() == name.size()) return true;
    name.remove_prefix(part.size() + 1);
  }
}

// The name half of a label key, and a label's value when it is not empty.
bool is_label_word(std::string_view text) {
  return !text.empty() && text.size() <= 63 && is_alphanumeric(text.front()) && is_alphanumeric(text.back()) &&
         std::ranges::all_of(text, [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
}

struct Unit {
  std::string_view name;
  std::int64_t nanoseconds;
};
constexpr auto units = std::to_array<Unit>({{"ns", 1},
                                            {"us", 1'000},
                                            {"µs", 1'000},
                                            {"ms", 1'000'000},
                                            {"s", 1'000'000'000},
                                            {"m", 60'000'000'000},
                                            {"h", 3'600'000'000'000}});

// Ten years is beyond every timer here, and keeps the sums far from overflow.
constexpr std::int64_t longest = std::int64_t{10} * 365 * 24 * units[6].nanoseconds;

// "1.5h30m" -> nanoseconds. No sign: no duration here can be negative.
std::optional<std::int64_t> parse_nanoseconds(std::string_view text) {
  if (text == "0") return 0;
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  while (!text.empty()) {
    const auto number_end = std::min(text.find_first_not_of("0123456789."), text.size());
    const auto number = text.substr(0, number_end);
    text.remove_prefix(number_end);
    const auto unit_end = std::min(text.find_first_of("0123456789."), text.size());
    const auto unit = std::ranges::find(units, text.substr(0, unit_end), &Unit::name);
    text.remove_prefix(unit_end);
    if (unit == units.end() || number.empty() || number.size() > 18) return std::nullopt;

    const auto point = number.find('.');
    const auto whole_text = number.substr(0, point);
    const auto whole = whole_text.empty() ? std::optional<std::int64_t>{0} : parse_whole<std::int64_t>(whole_text);
    if (!whole || *whole > longest / unit->nanoseconds) return std::nullopt;
    total += *whole * unit->nanoseconds;
    if (point != std::string_view::npos) {
      if (number.size() == 1) return std::nullopt;
      auto step = unit->nanoseconds;
      for (const char c : number.substr(point + 1)) {
        if (c == '.') return std::nullopt;
        step /= 10;
        total += step * (c - '0');
      }
    }
    if (total > longest) return std::nullopt;
  }
  return total;
}

Checked<std::int64_t> nanoseconds(const Value& value) {
  if (value.type == Value::Type::Integer || value.type == Value::Type::Float)
    return fail("must be a duration with its unit, such as " + value.text + "s; got the number " + value.text);
  if (value.type == Value::Type::Text)
    if (const auto parsed = parse_nanoseconds(value.text)) return *parsed;
  return fail(must_be("a duration such as 90s, 1m30s or 500ms", value));
}

// Numbers separated by colons; how many, or 0 when one is not a number up to `most` (or "*").
std::size_t count_numbers(std::string_view text, std::uint32_t most, Wildcards wildcards) {
  std::size_t count = 0;
  for (;;) {
    const auto part = text.substr(0, text.find(':'));
    const auto number = parse_whole<std::uint32_t>(part);
    const bool valid = (number && *number <= most) || (part == "*" && wildcards == Wildcards::Allowed);
    if (!valid) return 0;
    ++count;
    if (part.size() == text.size()) return count;
    text.remove_prefix(part.size() + 1);
  }
}

// RFC 4360: the AS number (16 bits leave 32 for the number, 32 leave 16) or IPv4 address, and the number.
bool is_route_community(std::string_view text, Wildcards wildcards) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  const auto administrator = text.substr(0, colon);
  const auto number = text.substr(colon + 1);
  const bool any = wildcards == Wildcards::Allowed;
  const auto asn = parse_whole<std::uint32_t>(administrator);
  const bool address = net::parse_ipv4(administrator).has_value();
  if (!asn && !address && !(any && administrator == "*")) return false;
  if (any && number == "*") return true;
  const auto value = parse_whole<std::uint32_t>(number);
  const bool open = administrator == "*" || (asn && *asn <= 0xffff);
  return value && (open || *value <= 0xffff);
}

// Behind "rt:[": an IPv6 address, "]:" and a number of 16 bits (RFC 5701).
bool is_ipv6_route_community(std::string_view text, Wildcards wildcards) {
  const auto end = text.rfind("]:");
  if (end == std::string_view::npos) return false;
  const auto administrator = text.substr(0, end);
  const auto number = text.substr(end + 2);
  const bool any = wildcards == Wildcards::Allowed;
  if (!net::parse_ipv6(administrator) && !(any && administrator == "*")) return false;
  return (any && number == "*") || parse_whole<std::uint16_t>(number).has_value();
}

Checked<std::string> community(const Value& value, Wildcards wildcards) {
  auto name = word(value);
  if (!name) return name;
  if (is_community(*name, wildcards)) return name;
  if (name->find(':') == std::string::npos && name->find('*') == std::string::npos) return name;
  return fail(must_be(wildcards == Wildcards::Allowed
                          ? "a community such as 65001:100, 65001:*, large:1:2:3 or rt:65001:*, or the name of one"
                          : "a community such as 65001:100, large:1:2:3 or rt:65001:100, or the name of one",
                      value));
}

// What is wrong with a range whose two ends are addresses; empty when they are not.
std::string misfit_of_ends(const Value& value) {
  const auto dash = value.text.find('-');
  if (value.type != Value::Type::Text || dash == std::string::npos) return {};
  const auto first = net::parse_ip(value.text.substr(0, dash));
  const auto last = net::parse_ip(value.text.substr(dash + 1));
  if (!first || !last) return {};
  return must_be(
      first->family() == last->family() ? "a range that begins with its lower address" : "a range of one family",
      value);
}

}  // namespace

std::string got(const Value& value) {
  switch (value.type) {
    case Value::Type::Null:
      return "got nothing";
    case Value::Type::Sequence:
      return "got a list";
    case Value::Type::Mapping:
      return "got a mapping";
    case Value::Type::Text:
      return "got " + in_quotes(value.text.size() > 100 ? value.text.substr(0, 100) + "…" : value.text);
    case Value::Type::Boolean:
    case Value::Type::Integer:
    case Value::Type::Float:
      break;
  }
  return "got " + value.text.substr(0, 100);
}

std::string must_be(std::string_view wanted, const Value& value) {
  return std::string{"must be "}.append(wanted).append(", ").append(got(value));
}

Checked<std::string> text(const Value& value) {
  switch (value.type) {
    case Value::Type::Text:
      return value.text;
    case Value::Type::Boolean:
    case Value::Type::Integer:
    case Value::Type::Float:
      return fail("must be text; write it in quotes: " + in_quotes(value.text));
    case Value::Type::Null:
    case Value::Type::Sequence:
    case Value::Type::Mapping:
      break;
  }
  return fail(must_be("text", value));
}

Checked<std::string> word(const Value& value) {
  auto result = text(value);
  if (!result) return result;
  if (result->empty()) return fail(std::string{"must not be empty"});
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::ranges::any_of(*result, control)) return fail(must_be("without control characters", value));
  return result;
}

Checked<bool> boolean(const Value& value) {
  if (value.type == Value::Type::Boolean) return value.text.front() == 't' || value.text.front() == 'T';
  return fail(must_be("true or false", value));
}

Checked<std::int64_t> whole_number(const Value& value, std::int64_t least, std::int64_t most) {
  const auto wanted = "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  if (value.type == Value::Type::Text && plain_scalar_type(value.text) == Value::Type::Integer)
    return fail("must be a number; write it without quotes: " + value.text.substr(0, 100));
  if (value.type != Value::Type::Integer) return fail(must_be(wanted, value));
  const auto number = parse_whole<std::int64_t>(value.text);
  if (!number || *number < least || *number > most) return fail(must_be(wanted, value));
  return *number;
}

Checked<std::uint64_t> counter(const Value& value) {
  if (value.type == Value::Type::Integer)
    if (const auto number = parse_whole<std::uint64_t>(value.text)) return *number;
  return fail(must_be("a whole number, 0 or more", value));
}

Checked<std::chrono::milliseconds> milliseconds(const Value& value) {
  return nanoseconds(value).and_then([&](std::int64_t count) -> Checked<std::chrono::milliseconds> {
    if (count % 1'000'000 != 0) return fail(must_be("whole milliseconds", value));
    return std::chrono::milliseconds{count / 1'000'000};
  });
}

Checked<std::chrono::seconds> seconds(const Value& value) {
  return nanoseconds(value).and_then([&](std::int64_t count) -> Checked<std::chrono::seconds> {
    if (count % 1'000'000'000 != 0) return fail(must_be("whole seconds", value));
    return std::chrono::seconds{count / 1'000'000'000};
  });
}

std::string print(std::chrono::milliseconds duration) {
  if (duration.count() % 1000 != 0) return std::to_string(duration.count()) + "ms";
  return std::to_string(duration.count() / 1000) + "s";
}

Checked<net::IpAddress> ip(const Value& value) {
  if (value.type == Value::Type::Text)
    if (const auto address = net::parse_ip(value.text)) return *address;
  return fail(must_be("an IPv4 or IPv6 address", value));
}

Checked<net::IpAddress> host_ip(const Value& value) {
  return ip(value).and_then([&](const net::IpAddress& address) -> Checked<net::IpAddress> {
    if (address.unspecified() || address.multicast()) return fail(must_be("the address of one host", value));
    return address;
  });
}

Checked<net::Prefix> subnet_of_address(const Value& value) {
  if (value.type == Value::Type::Text)
    if (const auto parsed = net::parse_prefix(value.text)) return *parsed;
  return fail(must_be("a prefix such as 192.0.2.0/24 or 2001:db8::/64", value));
}

Checked<net::Prefix> prefix(const Value& value) {
  return subnet_of_address(value).and_then([&](const net::Prefix& parsed) -> Checked<net::Prefix> {
    const auto slash = value.text.find('/');
    if (net::parse_ip(value.text.substr(0, slash)) != parsed.address())
      return fail("has bits set behind its length; did you mean " + net::print(parsed) + "?");
    return parsed;
  });
}

Checked<net::AddressRange> range(const Value& value) {
  if (value.type == Value::Type::Text)
    if (const auto parsed = net::parse_range(value.text)) return *parsed;
  if (auto why = misfit_of_ends(value); !why.empty()) return fail(std::move(why));
  return fail(must_be("a prefix such as 192.0.2.0/24 or a range such as 192.0.2.10-192.0.2.20", value));
}

Checked<net::Asn> asn(const Value& value) {
  return whole_number(value, 1, 0xffff'ffff).map([](std::int64_t n) {
    return net::Asn{static_cast<std::uint32_t>(n)};
  });
}

Checked<net::RouterId> router_id(const Value& value) {
  if (value.type == Value::Type::Text)
    if (const auto id = net::parse_router_id(value.text); id && id->value != 0) return *id;
  return fail(must_be("written like an IPv4 address and not 0.0.0.0", value));
}

// linux/if.h: a name has at most 15 octets, no slash and no blank.
Checked<std::string> interface_name(const Value& value) {
  auto name = word(value);
  if (!name) return name;
  if (name->size() > 15 || name->find_first_of("/ \t") != std::string::npos || *name == "." || *name == "..")
    return net::fail(must_be("the name of an interface (at most 15 octets, no / and no blank)", value));
  return name;
}

Checked<std::string> object_name(const Value& value) {
  auto name = text(value);
  if (name && !is_subdomain(*name))
    return fail(
        must_be("lower-case letters, digits, \"-\" and \".\", beginning and ending with a letter or digit", value));
  return name;
}

bool is_label_key(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return is_label_word(text);
  return is_subdomain(text.substr(0, slash)) && is_label_word(text.substr(slash + 1));
}

bool is_label_value(std::string_view text) {
  return text.empty() || is_label_word(text);
}

Checked<std::string> label_key(const Value& value) {
  auto key = text(value);
  if (key && !is_label_key(*key)) return fail(must_be("a label key such as app or example.com/app", value));
  return key;
}

Checked<std::string> label_value(const Value& value) {
  auto label = text(value);
  if (label && !is_label_value(*label))
    return fail(must_be("at most 63 letters, digits, \"-\", \"_\" and \".\"", value));
  return label;
}

bool is_community(std::string_view text, Wildcards wildcards) {
  constexpr std::string_view generic = "generic:0x";
  if (text.starts_with(generic)) {
    auto digits = text.substr(generic.size());
    const bool open = wildcards == Wildcards::Allowed && digits.ends_with('*');
    if (open) digits.remove_suffix(1);
    return (open ? digits.size() < 40 : digits.size() == 16 || digits.size() == 40) &&
           digits.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  }
  if (text.starts_with("rt:[") || text.starts_with("ro:[")) return is_ipv6_route_community(text.substr(4), wildcards);
  if (text.starts_with("rt:") || text.starts_with("ro:")) return is_route_community(text.substr(3), wildcards);
  constexpr std::string_view large = "large:";
  if (text.starts_with(large)) return count_numbers(text.substr(large.size()), 0xffff'ffff, wildcards) == 3;
  return count_numbers(text, 0xffff, wildcards) == 2;
}

Checked<std::string> community_or_alias(const Value& value) {
  return community(value, Wildcards::Refused);
}

Checked<std::string> community_pattern_or_alias(const Value& value) {
  return community(value, Wildcards::Allowed);
}

}  // namespace config
