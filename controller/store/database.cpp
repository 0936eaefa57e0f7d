// SPDX-License-Identifier: Apache-2.0
#include "controller/store/database.hpp"

#include <stdexcept>
#include <string_view>

#include <fmt/format.h>
#include <sqlite3.h>

namespace controller {
namespace {

constexpr int schema_version = 1;

// Kinds are stored by their path, not by enumerator: the file outlives the order of an enum.
constexpr auto schema = R"(
  CREATE TABLE IF NOT EXISTS objects (
    kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
    uid TEXT NOT NULL, revision INTEGER NOT NULL, labels TEXT NOT NULL, object TEXT NOT NULL,
    UNIQUE (kind, namespace, name));
  CREATE TABLE IF NOT EXISTS numbers (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS releases (what TEXT PRIMARY KEY, holder TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
)";
constexpr auto reserved_revision = "reserved revision";

std::string stored_name(config::Kind kind) {
  const auto& info = config::info(kind);
  return info.group().empty() ? std::string{info.plural} : fmt::format("{}.{}", info.plural, info.group());
}

const std::array<std::string, kind_count>& stored_names() {
  static const auto names = [] {
    std::array<std::string, kind_count> all;
    for (const auto& info : config::all_kinds()) all.at(index_of(info.kind)) = stored_name(info.kind);
    return all;
  }();
  return names;
}

std::optional<config::Kind> kind_of(std::string_view name) {
  const auto& names = stored_names();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names.at(i) == name) return static_cast<config::Kind>(i);
  }
  return std::nullopt;
}

std::string_view column_text(sqlite3_stmt* statement, int column) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
  return {text == nullptr ? "" : text, static_cast<std::size_t>(sqlite3_column_bytes(statement, column))};
}

// Not called bind: for a std::string that would mean std::bind.
void put(sqlite3_stmt* statement, int index, std::string_view text) {
  // The text lives until the statement is reset, see step().
  sqlite3_bind_text(statement, index, text.data() == nullptr ? "" : text.data(), static_cast<int>(text.size()),
                    SQLITE_STATIC);
}

void put(sqlite3_stmt* statement, int index, std::uint64_t number) {
  sqlite3_bind_int64(statement, index, static_cast<sqlite3_int64>(number));
}

// Moments are kept in milliseconds since 1970.
std::uint64_t stored_time(std::chrono::system_clock::time_point time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count());
}

bool step(sqlite3_stmt* statement) {
  const auto done = sqlite3_step(statement) == SQLITE_DONE;
  sqlite3_reset(statement);
  return done;
}

std::string cannot_open(const std::filesystem::path& file, std::string_view why) {
  return fmt::format("store {}: {}", file.string(), why);
}

}  // namespace

void Database::Close::operator()(sqlite3* database) const {
  sqlite3_close_v2(database);
}
void Database::Close::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Database::Database(const std::filesystem::path& file) {
  sqlite3* handle = nullptr;
  const auto opened =
      sqlite3_open_v2(file.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  database_.reset(handle);
  if (opened != SQLITE_OK) throw std::runtime_error(cannot_open(file, sqlite3_errstr(opened)));
  std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  sqlite3_busy_timeout(handle, 2000);  // a predecessor may be on its way out

  try {
    // Exclusive: a second controller on the same file is refused here.
    execute(
        "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        "PRAGMA journal_size_limit=67108864; PRAGMA temp_store=MEMORY; BEGIN EXCLUSIVE");
    auto version = prepare("PRAGMA user_version");
    if (sqlite3_step(version.get()) != SQLITE_ROW) throw std::runtime_error(sqlite3_errmsg(handle));
    const auto found = sqlite3_column_int(version.get(), 0);
    version.reset();
    if (found > schema_version) throw std::runtime_error("was written by a newer version");
    execute(schema);
    execute("PRAGMA user_version=1");
    execute("COMMIT");
    begin_ = prepare("BEGIN IMMEDIATE");
    commit_ = prepare("COMMIT");
    rollback_ = prepare("ROLLBACK");
    put_ = prepare(
        "INSERT INTO objects (kind, namespace, name, uid, revision, labels, object) VALUES (?,?,?,?,?,?,?) "
        "ON CONFLICT DO UPDATE SET uid=excluded.uid, revision=excluded.revision, labels=excluded.labels, "
        "object=excluded.object");
    remove_ = prepare("DELETE FROM objects WHERE kind=? AND namespace=? AND name=?");
    set_number_ = prepare("INSERT OR REPLACE INTO numbers (name, value) VALUES (?,?)");
    release_ = prepare("INSERT OR REPLACE INTO releases (what, holder, at) VALUES (?,?,?)");
    forget_ = prepare("DELETE FROM releases WHERE at < ?");
  } catch (const std::runtime_error& error) {
    const auto busy = sqlite3_errcode(handle) == SQLITE_BUSY;
    throw std::runtime_error(cannot_open(file, busy ? "is in use by another process" : error.what()));
  }
}

void Database::execute(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    throw std::runtime_error(sqlite3_errmsg(database_.get()));
  }
}

Database::Statement Database::prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(database_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    throw std::runtime_error(sqlite3_errmsg(database_.get()));
  }
  return Statement{statement};
}

Database::Content Database::load() {
  Content content;
  auto rows = prepare(
      "SELECT kind, namespace, name, uid, revision, labels, object FROM objects ORDER BY kind, namespace, name");
  auto result = sqlite3_step(rows.get());
  for (; result == SQLITE_ROW; result = sqlite3_step(rows.get())) {
    const auto kind = kind_of(column_text(rows.get(), 0));
    if (!kind) continue;  // of another version; left alone
    content.objects.push_back(std::make_shared<const Object>(
        Object{.key = {*kind, std::string{column_text(rows.get(), 1)}, std::string{column_text(rows.get(), 2)}},
               .uid = std::string{column_text(rows.get(), 3)},
               .revision = static_cast<std::uint64_t>(sqlite3_column_int64(rows.get(), 4)),
               .labels = LabelText{std::string{column_text(rows.get(), 5)}},
               .text = std::string{column_text(rows.get(), 6)}}));
  }
  if (result != SQLITE_DONE) throw std::runtime_error(std::string{"store: "} + sqlite3_errmsg(database_.get()));

  auto numbers = prepare("SELECT name, value FROM numbers");
  while (sqlite3_step(numbers.get()) == SQLITE_ROW) {
    const auto name = column_text(numbers.get(), 0);
    const auto value = static_cast<std::uint64_t>(sqlite3_column_int64(numbers.get(), 1));
    if (name == reserved_revision) content.reserved = value;
    if (const auto kind = kind_of(name)) content.last_change.at(index_of(*kind)) = value;
  }
  auto releases = prepare("SELECT what, holder, at FROM releases ORDER BY at, what");
  while (sqlite3_step(releases.get()) == SQLITE_ROW) {
    const std::chrono::milliseconds at{sqlite3_column_int64(releases.get(), 2)};
    content.releases.push_back({std::string{column_text(releases.get(), 0)},
                                std::string{column_text(releases.get(), 1)},
                                std::chrono::system_clock::time_point{at}});
  }
  return content;
}

net::Result<void, std::string> Database::commit(const Transaction& transaction) {
  if (step(begin_.get()) && write(transaction) && step(commit_.get())) return {};
  std::string why = sqlite3_errmsg(database_.get());
  if (sqlite3_get_autocommit(database_.get()) == 0) step(rollback_.get());
  return net::fail(std::move(why));
}

bool Database::write(const Transaction& transaction) {
  std::array<std::uint64_t, kind_count> last_change{};
  for (const auto& row : transaction.rows) {
    if (!write(row)) return false;
    last_change.at(index_of(row.object->key.kind)) = row.object->revision;
  }
  for (std::size_t i = 0; i < kind_count; ++i) {
    if (last_change.at(i) == 0) continue;
    put(set_number_.get(), 1, stored_names().at(i));
    put(set_number_.get(), 2, last_change.at(i));
    if (!step(set_number_.get())) return false;
  }
  // The old ones first: what was given up again just now is not old.
  if (transaction.forget_before && !forget(*transaction.forget_before)) return false;
  for (const auto& release : transaction.releases)
    if (!write(release)) return false;
  if (!transaction.reserve) return true;
  put(set_number_.get(), 1, std::string_view{reserved_revision});
  put(set_number_.get(), 2, *transaction.reserve);
  return step(set_number_.get());
}

bool Database::write(const Release& release) {
  put(release_.get(), 1, release.what);
  put(release_.get(), 2, release.holder);
  put(release_.get(), 3, stored_time(release.at));
  return step(release_.get());
}

bool Database::forget(std::chrono::system_clock::time_point before) {
  put(forget_.get(), 1, stored_time(before));
  return step(forget_.get());
}

bool Database::write(const Row& row) {
  const auto& object = *row.object;
  auto* statement = row.action == Row::Action::Put ? put_.get() : remove_.get();
  put(statement, 1, stored_names().at(index_of(object.key.kind)));
  put(statement, 2, object.key.namespace_name);
  put(statement, 3, object.key.name);
  if (row.action == Row::Action::Put) {
    put(statement, 4, object.uid);
    put(statement, 5, object.revision);
    put(statement, 6, object.labels.text());
    put(statement, 7, object.text);
  }
  return step(statement);
}

}  // namespace controller
