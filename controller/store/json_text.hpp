// SPDX-License-Identifier: Apache-2.0
// JSON read and changed where it lies, as text. The store keeps objects as text, a write touches a few members of one,
// and a tree of all its values costs more than everything else that the write does. Knows nothing of objects.
#pragma once

#include <cstdint>
#include <forward_list>
#include <optional>
#include <string>
#include <string_view>

#include <boost/container/small_vector.hpp>
#include <nlohmann/json.hpp>

namespace controller {

// The text as the store keeps it: compact, the names of members in order. What is not UTF-8 is replaced.
[[nodiscard]] std::string compact(const nlohmann::json& value);
// What stands between the quotes of a string, without its escapes.
[[nodiscard]] std::string unescaped(std::string_view raw);

// Reads one value from start to end. After the first error it stands at the end: loops end, everything reads as empty
// and ok() is false. What is skipped is looked at for its end alone.
class JsonCursor {
 public:
  explicit JsonCursor(std::string_view text) : text_{text} {}

  // Calls visit(name) for each member of an object, with the name as written; visit may read the value. Anything else
  // has no members.
  template <class Visit>
  void members(Visit visit) {
    if (!open('{')) return;
    while (more('}')) {
      const auto name = raw_string();
      if (!take(':')) return;
      read_or_skip([&] { visit(name); });
    }
  }
  // The same for the elements of an array: visit().
  template <class Visit>
  void elements(Visit visit) {
    if (!open('[')) return;
    while (more(']')) read_or_skip(visit);
  }

  // The next value as it is written.
  std::string_view value();
  // The next value where it is a string or a number that fits; else it is skipped.
  std::string string();
  std::optional<std::uint64_t> number();
  [[nodiscard]] bool at_string();

  [[nodiscard]] bool ok() const { return ok_; }
  // Everything was read, and rightly.
  [[nodiscard]] bool consumed();

 private:
  template <class Read>
  void read_or_skip(Read read) {
    const auto before = at_;
    read();
    if (at_ == before) static_cast<void>(value());
  }
  bool open(char bracket);  // skips the next value when it does not begin with it
  bool more(char bracket);  // another member or element; else takes the bracket
  bool take(char expected);
  void skip_space();
  std::string_view raw_string();
  void skip_string();
  void skip_word();
  void fail();

  std::string_view text_;
  std::size_t at_ = 0;
  bool first_ = false;  // no comma is due
  bool ok_ = true;
};

// An object taken apart: its members as slices of its text, in order of name, to be changed and put together again.
// Names and values given to it must outlive it.
class JsonMembers {
 public:
  struct Member {
    std::string_view name;  // as written, without the quotes
    std::string_view value;
    friend bool operator==(const Member&, const Member&) = default;
  };

  JsonMembers() = default;
  // Nothing: it is no object.
  [[nodiscard]] static std::optional<JsonMembers> of(std::string_view object);

  // Empty: there is none of that name.
  [[nodiscard]] std::string_view find(std::string_view name) const;
  void set(std::string_view name, std::string_view value);
  bool erase(std::string_view name);
  // Applies the value of one member of a merge patch (RFC 7396); says whether anything changed.
  bool merge(std::string_view name, std::string_view patch);
  // Keeps a text for as long as this lives, for set().
  std::string_view keep(std::string text);

  [[nodiscard]] const Member* begin() const { return members_.data(); }
  [[nodiscard]] const Member* end() const { return members_.data() + members_.size(); }
  [[nodiscard]] std::string text() const;
  friend bool operator==(const JsonMembers& a, const JsonMembers& b) { return a.members_ == b.members_; }

 private:
  // Objects and their metadata have about that many members.
  using Members = boost::container::small_vector<Member, 12>;
  [[nodiscard]] Members::iterator place_of(std::string_view name);

  Members members_;
  std::forward_list<std::string> kept_;
};

// Writes compact JSON. The caller names the members of an object in order.
class JsonWriter {
 public:
  JsonWriter& object() { return begin('{'); }
  JsonWriter& end_object() { return end('}'); }
  JsonWriter& array() { return begin('['); }
  JsonWriter& end_array() { return end(']'); }
  JsonWriter& name(std::string_view name);  // without anything that needs an escape
  JsonWriter& string(std::string_view value);
  JsonWriter& raw(std::string_view value);  // JSON already
  JsonWriter& member(std::string_view member_name, std::string_view value) { return name(member_name).string(value); }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  JsonWriter& begin(char bracket);
  JsonWriter& end(char bracket);
  void comma();

  std::string out_;
};

}  // namespace controller
