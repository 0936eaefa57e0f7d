// SPDX-License-Identifier: Apache-2.0
// Thompson's construction, simulated with a set of states: each character of the path advances every state once.
#include "net/as_path_pattern.hpp"

#include <array>
#include <bitset>
#include <optional>
#include <utility>

namespace net {
namespace {

using CharSet = std::bitset<128>;

// What a pattern of the greatest length can come to, with "_" as its dearest character.
constexpr std::size_t most_steps = 2048;
constexpr std::size_t deepest = 32;  // groups in groups

constexpr std::string_view boundaries = " ,{}()[]";

CharSet set_of(std::string_view characters) {
  CharSet set;
  for (const char c : characters) set.set(static_cast<unsigned char>(c));
  return set;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

struct AsPathPattern::Step {
  enum class Kind : std::uint8_t { Read, Fork, Begin, End, Match };
  Kind kind = Kind::Match;
  std::uint16_t next = 0;
  std::uint16_t other = 0;  // of Fork
  CharSet set;              // of Read
};

namespace {

using Step = AsPathPattern::Step;
using Program = AsPathPattern::Program;
using Failure = std::string;

// Builds steps while it reads. A fragment begins at `entry`; its loose ends are the `next` (or `other`) fields
// that wait for what follows.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_{text} {}

  Result<Program, Failure> parse() {
    const auto whole = choice(0);
    if (!error_ && at_ < text_.size()) wrong("has a \")\" without its \"(\"");
    if (error_) return fail(std::move(*error_));
    const auto match = add({});
    join(whole.ends, match);
    program_.front() = {Step::Kind::Fork, whole.entry, whole.entry, {}};  // where the simulation begins
    return std::move(program_);
  }

 private:
  struct End {
    std::uint16_t step;
    bool other;
  };
  struct Fragment {
    std::uint16_t entry = 0;
    std::vector<End> ends;
  };

  void wrong(const std::string& what) {
    if (!error_) error_ = what + " at character " + std::to_string(at_ + 1);
  }
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  std::uint16_t add(const Step& step) {
    if (program_.size() >= most_steps) {
      wrong("is too large");
      return 0;
    }
    program_.push_back(step);
    return static_cast<std::uint16_t>(program_.size() - 1);
  }
  void join(const std::vector<End>& ends, std::uint16_t target) {
    for (const auto& end : ends) (end.other ? program_[end.step].other : program_[end.step].next) = target;
  }
  Fragment single(Step::Kind kind, const CharSet& set = {}) {
    const auto step = add({kind, 0, 0, set});
    return {step, {{step, false}}};
  }
  Fragment fork(const Fragment& one, const Fragment& other) {
    const auto step = add({Step::Kind::Fork, one.entry, other.entry, {}});
    auto ends = one.ends;
    ends.insert(ends.end(), other.ends.begin(), other.ends.end());
    return {step, std::move(ends)};
  }
  // Nothing at all: a fork whose ways are the same.
  Fragment empty() {
    const auto step = add({Step::Kind::Fork, 0, 0, {}});
    return {step, {{step, false}, {step, true}}};
  }

  Fragment choice(std::size_t depth) {
    auto all = sequence(depth);
    while (!error_ && peek() == '|') {
      ++at_;
      all = fork(all, sequence(depth));
    }
    return all;
  }
  Fragment sequence(std::size_t depth) {
    std::optional<Fragment> all;
    while (!error_ && at_ < text_.size() && peek() != '|' && peek() != ')') {
      auto next = repeated(depth);
      if (!all) {
        all = std::move(next);
      } else {
        join(all->ends, next.entry);
        all->ends = std::move(next.ends);
      }
    }
    return all ? std::move(*all) : empty();
  }
  Fragment repeated(std::size_t depth) {
    auto what = atom(depth);
    for (char c = peek(); !error_ && (c == '*' || c == '+' || c == '?'); c = peek()) {
      ++at_;
      const auto step = add({Step::Kind::Fork, what.entry, 0, {}});
      if (c == '?') {
        what.ends.push_back({step, true});
        what.entry = step;
        continue;
      }
      join(what.ends, step);
      what.ends = {{step, true}};
      if (c == '*') what.entry = step;
    }
    return what;
  }
  Fragment atom(std::size_t depth) {
    const char c = peek();
    switch (c) {
      case '(':
        return group(depth);
      case '[':
        return set();
      case '*':
      case '+':
      case '?':
        wrong(std::string{"has \""} + c + "\" with nothing to repeat");
        return {};
      case '^':
        ++at_;
        return single(Step::Kind::Begin);
      case '$':
        ++at_;
        return single(Step::Kind::End);
      case '.':
        ++at_;
        return single(Step::Kind::Read, CharSet{}.set());
      case '_': {
        ++at_;
        const auto ends = fork(single(Step::Kind::Begin), single(Step::Kind::End));
        return fork(single(Step::Kind::Read, set_of(boundaries)), ends);
      }
      default:
        return literal();
    }
  }
  Fragment literal() {
    const bool escaped = peek() == '\\';
    if (escaped) ++at_;
    const char c = peek();
    if (!is_digit(c) && (c == '\0' || boundaries.find(c) == std::string_view::npos)) {
      wrong(escaped ? "has a \"\\\" before something that is in no AS path" : "has something that is in no AS path");
      return {};
    }
    ++at_;
    return single(Step::Kind::Read, set_of({&c, 1}));
  }
  Fragment group(std::size_t depth) {
    if (depth == deepest) {
      wrong("has too many groups in groups");
      return {};
    }
    ++at_;
    auto inside = choice(depth + 1);
    if (error_) return {};
    if (peek() != ')') {
      wrong("lacks a \")\"");
      return {};
    }
    ++at_;
    return inside;
  }
  Fragment set() {
    ++at_;
    const bool all_but = peek() == '^';
    if (all_but) ++at_;
    CharSet set;
    for (bool first = true; first || peek() != ']'; first = false) {
      const char low = peek();
      if (low == '\0') {
        wrong("lacks a \"]\"");
        return {};
      }
      ++at_;
      const bool range = peek() == '-' && at_ + 1 < text_.size() && text_[at_ + 1] != ']';
      const char high = range ? text_[at_ + 1] : low;
      if (range) at_ += 2;
      if (high < low || low < ' ') {
        wrong("has a range that ends before it begins");
        return {};
      }
      for (auto each = low; each != high; ++each) set.set(static_cast<unsigned char>(each));
      set.set(static_cast<unsigned char>(high));
    }
    ++at_;
    return single(Step::Kind::Read, all_but ? ~set : set);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Program program_{Step{}};  // the first is set at the end
  std::optional<std::string> error_;
};

// A set of steps that remembers its members.
class States {
 public:
  bool insert(std::uint16_t step) {
    if (seen_[step]) return false;
    seen_[step] = true;
    members_[count_++] = step;
    return true;
  }
  [[nodiscard]] const std::uint16_t* begin() const { return members_.data(); }
  [[nodiscard]] const std::uint16_t* end() const { return members_.data() + count_; }
  void clear() {
    for (const auto step : *this) seen_[step] = false;
    count_ = 0;
  }

 private:
  std::bitset<most_steps> seen_;
  std::array<std::uint16_t, most_steps> members_;
  std::size_t count_ = 0;
};

struct Place {
  bool at_begin;
  bool at_end;
};

// Puts the step and all that can be reached from it without reading into `states`. True: the pattern matches.
bool reach(const Program& program, States& states, std::uint16_t from, Place place) {
  std::array<std::uint16_t, 2 * most_steps> waiting;
  std::size_t count = 0;
  waiting[count++] = from;
  while (count > 0) {
    const auto at = waiting[--count];
    if (!states.insert(at)) continue;
    const auto& step = program[at];
    switch (step.kind) {
      case Step::Kind::Match:
        return true;
      case Step::Kind::Read:
        break;
      case Step::Kind::Fork:
        waiting[count++] = step.next;
        waiting[count++] = step.other;
        break;
      case Step::Kind::Begin:
        if (place.at_begin) waiting[count++] = step.next;
        break;
      case Step::Kind::End:
        if (place.at_end) waiting[count++] = step.next;
        break;
    }
  }
  return false;
}

}  // namespace

AsPathPattern::AsPathPattern(std::string text, std::shared_ptr<const Program> program)
    : text_{std::move(text)}, program_{std::move(program)} {}

bool AsPathPattern::matches(std::string_view path) const {
  const auto& program = *program_;
  States one;
  States two;
  auto* now = &one;
  auto* next = &two;
  for (std::size_t at = 0;; ++at) {
    // A match may begin at every character.
    if (reach(program, *now, 0, {at == 0, at == path.size()})) return true;
    if (at == path.size()) return false;
    const auto c = static_cast<unsigned char>(path[at]);
    const Place after{false, at + 1 == path.size()};
    next->clear();
    for (const auto state : *now) {
      const auto& step = program[state];
      if (step.kind != Step::Kind::Read || c >= 128 || !step.set[c]) continue;
      if (reach(program, *next, step.next, after)) return true;
    }
    std::swap(now, next);
  }
}

Result<AsPathPattern, std::string> parse_as_path_pattern(std::string_view text) {
  if (text.empty()) return fail(std::string{"is empty; \"^$\" is the empty path, \".*\" any"});
  if (text.size() > AsPathPattern::longest)
    return fail("has more than " + std::to_string(AsPathPattern::longest) + " characters");
  auto program = Parser{text}.parse();
  if (!program) return fail(std::move(program.error()));
  return AsPathPattern{std::string{text}, std::make_shared<const Program>(std::move(*program))};
}

}  // namespace net
