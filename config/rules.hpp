// SPDX-License-Identifier: Apache-2.0
// The rules for small values: what text, numbers, durations, addresses and names may look like. Each says
// what it wanted and what it got; the cursor adds where.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/cursor.hpp"
#include "net/address.hpp"
#include "net/asn.hpp"
#include "net/prefix.hpp"
#include "net/range.hpp"

namespace config {

// "got 2", "got \"abc\"", "got a list": the tail of a message.
[[nodiscard]] std::string got(const Value& value);
// "must be WANTED, got …"
[[nodiscard]] std::string must_be(std::string_view wanted, const Value& value);

[[nodiscard]] Checked<std::string> text(const Value& value);  // any, also empty
[[nodiscard]] Checked<std::string> word(const Value& value);  // not empty, no control characters
[[nodiscard]] Checked<bool> boolean(const Value& value);
[[nodiscard]] Checked<std::int64_t> whole_number(const Value& value, std::int64_t least, std::int64_t most);
[[nodiscard]] Checked<std::uint64_t> counter(const Value& value);

template <class T>
[[nodiscard]] auto number(T least = std::numeric_limits<T>::min(), T most = std::numeric_limits<T>::max()) {
  return [=](const Value& value) -> Checked<T> {
    return whole_number(value, std::int64_t{least}, std::int64_t{most}).map([](std::int64_t n) {
      return static_cast<T>(n);
    });
  };
}

// Go's notation, as Kubernetes writes durations: "90s", "1m30s", "500ms".
[[nodiscard]] Checked<std::chrono::milliseconds> milliseconds(const Value& value);
[[nodiscard]] Checked<std::chrono::seconds> seconds(const Value& value);
[[nodiscard]] std::string print(std::chrono::milliseconds duration);  // "90s", "500ms"

[[nodiscard]] Checked<net::IpAddress> ip(const Value& value);
[[nodiscard]] Checked<net::IpAddress> host_ip(const Value& value);         // not unspecified, not multicast
[[nodiscard]] Checked<net::Prefix> prefix(const Value& value);             // host bits must be clear
[[nodiscard]] Checked<net::Prefix> subnet_of_address(const Value& value);  // host bits are cleared
[[nodiscard]] Checked<net::AddressRange> range(const Value& value);
[[nodiscard]] Checked<net::Asn> asn(const Value& value);
[[nodiscard]] Checked<net::RouterId> router_id(const Value& value);

[[nodiscard]] Checked<std::string> interface_name(const Value& value);  // as Linux allows them

// Names as Kubernetes wants them: lower-case letters, digits, "-" and "."; at most 253 characters.
[[nodiscard]] Checked<std::string> object_name(const Value& value);
[[nodiscard]] bool is_label_key(std::string_view text);
[[nodiscard]] bool is_label_value(std::string_view text);
[[nodiscard]] Checked<std::string> label_key(const Value& value);
[[nodiscard]] Checked<std::string> label_value(const Value& value);

// The community notations: two 16 bit numbers "65001:100", "large:" and three 32 bit ones, "rt:" or "ro:" and an AS
// number or IPv4 address and a number, or an IPv6 address in brackets and a number, "generic:0x" and 16 or 40
// hexadecimal digits.
enum class Wildcards : std::uint8_t { Refused, Allowed };  // "*" for a number, or for the rest of hexadecimal digits
[[nodiscard]] bool is_community(std::string_view text, Wildcards wildcards);
// What looks like a community must be one; anything else is an alias, looked up later.
[[nodiscard]] Checked<std::string> community_or_alias(const Value& value);
[[nodiscard]] Checked<std::string> community_pattern_or_alias(const Value& value);

// One of a few words.
template <class T>
[[nodiscard]] auto choice(std::vector<std::pair<std::string_view, T>> words) {
  return [words = std::move(words)](const Value& value) -> Checked<T> {
    std::string wanted;
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (value.type == Value::Type::Text && value.text == words[i].first) return words[i].second;
      wanted.append(i == 0 ? "" : i + 1 == words.size() ? " or " : ", ").append(words[i].first);
    }
    return net::fail(must_be(wanted, value));
  };
}

// One of these words, which is also what it is read to.
inline auto one_of(std::initializer_list<std::string_view> words) {
  std::vector<std::pair<std::string_view, std::string>> pairs;
  for (const auto word : words) pairs.emplace_back(word, std::string{word});
  return choice<std::string>(std::move(pairs));
}

// A problem when an entry stands in the list twice.
template <class T, class Print>
void refuse_repeats(const Cursor& in, std::string_view key, std::vector<T> entries, Print print_entry) {
  std::ranges::sort(entries);
  const auto twice = std::ranges::adjacent_find(entries);
  if (twice != entries.end()) in.problem(key, "has " + print_entry(*twice) + " twice");
}

}  // namespace config
