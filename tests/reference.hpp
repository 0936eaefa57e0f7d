// SPDX-License-Identifier: Apache-2.0
// docs/reference/resources.md as data, for the tests that hold it against the programs.
#pragma once

#include <fstream>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace reference {

// A row of a table of fields, with the marks of code taken off.
struct Field {
  std::string path;  // "spec.rules[].action"
  std::string type;
  std::string fallback;
  std::string allowed;
  std::string change;  // "live", "re-open" or nothing
  std::string meaning;
};

// By section: "BGPPeer"; "Objects" for what all kinds have.
using Fields = std::map<std::string, std::vector<Field>>;

inline std::vector<std::string> cells(std::string_view row) {
  std::vector<std::string> out;
  for (std::size_t begin = row.find('|') + 1; begin < row.size();) {
    const auto end = row.find('|', begin);
    if (end == std::string_view::npos) break;
    std::string cell;
    for (const char c : row.substr(begin, end - begin))
      if (c != '`') cell += c;
    const auto first = cell.find_first_not_of(' ');
    out.push_back(first == std::string::npos ? "" : cell.substr(first, cell.find_last_not_of(' ') - first + 1));
    begin = end + 1;
  }
  return out;
}

inline Fields read(const std::string& path) {
  Fields out;
  std::ifstream file{path};
  std::string section;
  bool in_table = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) section = line.substr(3);
    if (!line.starts_with("|")) in_table = false;
    if (line.starts_with("| Field |")) in_table = true;
    if (!in_table || !line.starts_with("| `")) continue;
    auto row = cells(line);
    row.resize(6);
    out[section].push_back({row[0], row[1], row[2], row[3], row[4], row[5]});
  }
  return out;
}

inline std::set<std::string> paths(const std::vector<Field>& fields) {
  std::set<std::string> out;
  for (const auto& field : fields) out.insert(field.path);
  return out;
}

// Mappings that only hold others may be left out of a table, so they are not compared.
inline std::set<std::string> without_parents(const std::set<std::string>& fields) {
  std::set<std::string> out;
  for (const auto& field : fields) {
    const auto next = fields.lower_bound(field + ".");
    const auto list = fields.lower_bound(field + "[");
    const bool parent = (next != fields.end() && next->starts_with(field + ".")) ||
                        (list != fields.end() && list->starts_with(field + "["));
    if (!parent) out.insert(field);
  }
  return out;
}

}  // namespace reference
