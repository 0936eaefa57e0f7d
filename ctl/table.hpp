// SPDX-License-Identifier: Apache-2.0
// Columns of text for people: aligned, with colour on a terminal and without in a pipe.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace ctl {

enum class Colour : std::uint8_t { None, Good, Bad, Warning, Faint };
enum class Paint : std::uint8_t { Plain, Terminal };

struct Cell {
  Cell(std::string content, Colour how = Colour::None) : text{std::move(content)}, colour{how} {}
  Cell(const char* content) : text{content} {}
  std::string text;
  Colour colour = Colour::None;
};

class Table {
 public:
  explicit Table(std::vector<std::string> header) : header_{std::move(header)} {}
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  void print(std::ostream& out, Paint paint) const;

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<Cell>> rows_;
};

[[nodiscard]] std::string painted(const std::string& text, Colour colour, Paint paint);

// "3d4h", "5m12s", "850ms".
[[nodiscard]] std::string age(long long milliseconds);

}  // namespace ctl
