// SPDX-License-Identifier: Apache-2.0
// Resources from files and folders. Loading is a function of what is on the disk now; nothing is remembered
// between two loads, so a reload and a start cannot differ.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "config/object.hpp"
#include "config/validate.hpp"

namespace config {

struct Loaded {
  Resources resources;  // what runs: without those set aside
  std::vector<Problem> problems;
  Reasons set_aside;     // by "BGPPeer/tor1"; also those that could not be read
  Reasons held_down;     // by the name of a peer
  bool readable = true;  // false: a file is missing or broken, so what is wanted is not known as a whole
};

// The files behind the paths, in order: a folder stands for its *.yaml, *.yml and *.json, by name.
struct FileList {
  std::vector<std::string> files;
  std::vector<Problem> problems;
};
[[nodiscard]] FileList list_files(const std::vector<std::string>& paths);

// `node` judges the set as that node sees it; empty: for the whole network. When the result is not readable
// a running daemon keeps what it has.
[[nodiscard]] Loaded load(const std::vector<std::string>& paths, const std::string& node = {});

// Objects from anywhere put together: duplicates are refused, the rest validated.
[[nodiscard]] Loaded assemble(ReadResult read, const std::string& node = {});

// The daemons' --check: every problem on a line of its own. 0 when there is none, else 2.
[[nodiscard]] int check(const std::vector<std::string>& paths, const std::string& node, std::ostream& out);

// The daemons' --print-config: what runs, as YAML in one canonical form that reads back to itself.
[[nodiscard]] std::string print_config(const Resources& resources);

}  // namespace config
