// SPDX-License-Identifier: Apache-2.0
// Regular expressions over AS paths: the automaton finds what a plain reading of the text finds. The input is a
// pattern, the end of the line, and a path.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <set>
#include <string_view>

#include "net/as_path_pattern.hpp"
#include "tests/fuzz/require.hpp"

namespace {

// The plain reading takes long for what repeats repetitions.
constexpr std::size_t longest_pattern = 40;
constexpr std::size_t longest_path = 64;

// Walks over the text of the pattern with all the places of the path that what was read so far may end at.
class PlainPattern {
 public:
  using Places = std::set<std::size_t>;

  // Precondition: the pattern is a good one.
  PlainPattern(std::string_view pattern, std::string_view path) : pattern_{pattern}, path_{path} {}

  bool matches() {
    Places anywhere;
    for (std::size_t place = 0; place <= path_.size(); ++place) anywhere.insert(place);
    return !choice(anywhere).empty();
  }

 private:
  [[nodiscard]] char peek() const { return at_ < pattern_.size() ? pattern_[at_] : '\0'; }

  Places choice(const Places& from) {
    auto all = sequence(from);
    while (peek() == '|') {
      ++at_;
      all.merge(sequence(from));
    }
    return all;
  }
  Places sequence(Places places) {
    while (at_ < pattern_.size() && peek() != '|' && peek() != ')') places = repeated(places);
    return places;
  }
  Places repeated(const Places& from) {
    const auto begin = at_;
    const auto once = atom(from);
    bool many = false;
    bool none = false;
    for (char c = peek(); c == '*' || c == '+' || c == '?'; c = peek()) {
      ++at_;
      many = many || c != '?';
      none = none || c != '+';
    }
    const auto end = at_;
    auto all = once;
    for (auto fresh = once; many && !fresh.empty();) {
      at_ = begin;
      auto next = atom(fresh);
      std::erase_if(next, [&](std::size_t place) { return all.contains(place); });
      all.insert(next.begin(), next.end());
      fresh = std::move(next);
    }
    at_ = end;
    if (none) all.insert(from.begin(), from.end());
    return all;
  }
  Places atom(const Places& from) {
    const char c = pattern_[at_++];
    switch (c) {
      case '(': {
        auto inside = choice(from);
        ++at_;
        return inside;
      }
      case '[':
        return set(from);
      case '^':
        return where(from, [](std::size_t place) { return place == 0; });
      case '$':
        return where(from, [this](std::size_t place) { return place == path_.size(); });
      case '.':
        return read(from, [](char) { return true; });
      case '_': {
        auto all =
            read(from, [](char each) { return std::string_view{" ,{}()[]"}.find(each) != std::string_view::npos; });
        all.merge(where(from, [this](std::size_t place) { return place == 0 || place == path_.size(); }));
        return all;
      }
      case '\\':
        return read(from, [wanted = pattern_[at_++]](char each) { return each == wanted; });
      default:
        return read(from, [c](char each) { return each == c; });
    }
  }
  Places set(const Places& from) {
    const bool all_but = peek() == '^';
    if (all_but) ++at_;
    const auto begin = at_;
    const auto end = pattern_.find(']', begin + 1);  // a bracket that comes first is one of the set
    at_ = end + 1;
    const auto members = pattern_.substr(begin, end - begin);
    return read(from, [members, all_but](char each) {
      bool in = false;
      for (std::size_t i = 0; i < members.size(); ++i) {
        const bool range = i + 2 < members.size() && members[i + 1] == '-';
        in = in || (range ? members[i] <= each && each <= members[i + 2] : each == members[i]);
        if (range) i += 2;
      }
      return in != all_but;
    });
  }

  static bool ascii(char c) { return static_cast<unsigned char>(c) < 128; }
  static Places where(const Places& from, const std::function<bool(std::size_t)>& holds) {
    Places places;
    std::copy_if(from.begin(), from.end(), std::inserter(places, places.end()), holds);
    return places;
  }
  Places read(const Places& from, const std::function<bool(char)>& holds) const {
    Places places;
    for (const auto place : from)
      if (place < path_.size() && ascii(path_[place]) && holds(path_[place])) places.insert(place + 1);
    return places;
  }

  std::string_view pattern_;
  std::string_view path_;
  std::size_t at_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto line = text.substr(0, text.find('\n'));
  const auto path = text.substr(std::min(line.size() + 1, text.size()));
  const auto pattern = net::parse_as_path_pattern(line);
  if (!pattern) {
    require(!pattern.error().empty());
    return 0;
  }
  const auto again = net::parse_as_path_pattern(pattern->text());
  require(pattern->text() == line && again.has_value() && *again == *pattern);
  const bool found = pattern->matches(path);
  require(again->matches(path) == found);
  if (line.size() <= longest_pattern && path.size() <= longest_path)
    require(PlainPattern(line, path).matches() == found);
  return 0;
}
