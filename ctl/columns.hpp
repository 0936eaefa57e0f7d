// SPDX-License-Identifier: Apache-2.0
// What a table shows of each kind: the answer to the first question about it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "config/api_paths.hpp"
#include "ctl/options.hpp"
#include "ctl/table.hpp"

namespace ctl {

struct Columns {
  std::vector<std::string> header;
  std::vector<Cell> (*row)(const nlohmann::json& object);
};
// Without name and age, which all kinds have.
[[nodiscard]] Columns columns_of(const config::KindInfo& kind);

// A value inside an object, as text; empty when it is not there.
[[nodiscard]] std::string at(const nlohmann::json& object, const char* pointer);
// How long ago an RFC 3339 timestamp was: "5m12s"; "-" when it is none.
[[nodiscard]] std::string age_of(const std::string& timestamp, std::chrono::system_clock::time_point now);

class ObjectTable {
 public:
  ObjectTable(const config::KindInfo& kind, const Options& options, std::chrono::system_clock::time_point now);
  void add(const nlohmann::json& object);
  [[nodiscard]] bool empty() const { return table_.empty(); }
  void print(std::ostream& out, Paint paint) const { table_.print(out, paint); }

 private:
  Columns columns_;
  bool namespaces_;
  bool wide_;
  std::chrono::system_clock::time_point now_;
  Table table_{{}};
};

}  // namespace ctl
