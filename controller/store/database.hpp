// SPDX-License-Identifier: Apache-2.0
// The file: one SQLite table of objects and the few numbers that must outlive the process. Everything it
// commits is on disk when commit() returns. It must not know what is visible to whom; see Store for that.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controller/store/object.hpp"
#include "controller/store/release.hpp"
#include "net/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace controller {

inline constexpr std::size_t kind_count = static_cast<std::size_t>(config::Kind::Event) + 1;
inline constexpr std::size_t index_of(config::Kind kind) {
  return static_cast<std::size_t>(kind);
}

struct Row {
  enum class Action : std::uint8_t { Put, Remove };
  Action action{};
  ObjectPtr object;
};

struct Transaction {
  std::vector<Row> rows;
  std::optional<std::uint64_t> reserve{};  // revisions up to here may be given out
  std::vector<Release> releases{};
  std::optional<std::chrono::system_clock::time_point> forget_before{};  // releases older than that
};

class Database {
 public:
  struct Content {
    std::vector<ObjectPtr> objects;  // by kind, namespace and name
    std::uint64_t reserved = 0;      // 0: the file is new
    // Of each kind, the revision of its last change, deletions included.
    std::array<std::uint64_t, kind_count> last_change{};
    std::vector<Release> releases;  // oldest first
  };

  // Throws std::runtime_error.
  explicit Database(const std::filesystem::path& file);
  [[nodiscard]] Content load();

  // All or nothing; the error is SQLite's text.
  [[nodiscard]] net::Result<void, std::string> commit(const Transaction& transaction);

 private:
  struct Close {
    void operator()(sqlite3* database) const;
    void operator()(sqlite3_stmt* statement) const;
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Close>;

  void execute(const char* sql);
  [[nodiscard]] Statement prepare(const char* sql);
  [[nodiscard]] bool write(const Transaction& transaction);
  [[nodiscard]] bool write(const Row& row);
  [[nodiscard]] bool write(const Release& release);
  [[nodiscard]] bool forget(std::chrono::system_clock::time_point before);

  std::unique_ptr<sqlite3, Close> database_;
  Statement begin_, commit_, rollback_, put_, remove_, set_number_, release_, forget_;
};

}  // namespace controller
