// SPDX-License-Identifier: Apache-2.0
#include "ctl/table.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace ctl {
namespace {

const char* code(Colour colour) {
  switch (colour) {
    case Colour::None:
      return "";
    case Colour::Good:
      return "\x1b[32m";
    case Colour::Bad:
      return "\x1b[31m";
    case Colour::Warning:
      return "\x1b[33m";
    case Colour::Faint:
      break;
  }
  return "\x1b[2m";
}

}  // namespace

std::string painted(const std::string& text, Colour colour, Paint paint) {
  if (paint == Paint::Plain || colour == Colour::None) return text;
  return code(colour) + text + "\x1b[0m";
}

void Table::print(std::ostream& out, Paint paint) const {
  std::vector<std::size_t> widths;
  for (const auto& title : header_) widths.push_back(title.size());
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].text.size());
  const auto pad = [&](std::size_t column, std::size_t size) {
    return column + 1 == header_.size() ? std::string{} : std::string(widths[column] - size + 2, ' ');
  };
  for (std::size_t i = 0; i < header_.size(); ++i)
    out << painted(header_[i], Colour::Faint, paint) << pad(i, header_[i].size());
  out << '\n';
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i)
      out << painted(row[i].text, row[i].colour, paint) << pad(i, row[i].text.size());
    out << '\n';
  }
}

std::string age(long long milliseconds) {
  const auto seconds = milliseconds / 1000;
  if (seconds < 10) return fmt::format("{}ms", milliseconds);
  if (seconds < 120) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m{}s", seconds / 60, seconds % 60);
  if (seconds < 86400) return fmt::format("{}h{}m", seconds / 3600, seconds % 3600 / 60);
  return fmt::format("{}d{}h", seconds / 86400, seconds % 86400 / 3600);
}

}  // namespace ctl
