// SPDX-License-Identifier: Apache-2.0
// The resources: an index in memory over SQLite, one revision counter for all of them, and a bounded history
// from which watchers pull what they have not seen. It must not know HTTP, nor what the kinds mean.
//
// One thread owns a Store and makes every call; the disk is written by a thread of the store's own. A write
// answers only when it is durable, and nobody sees it before: readers and watchers see committed state, the
// next write is checked against what is already on its way. Writes that arrive while the disk is busy share
// the next transaction. Revisions never repeat and never go back, also over a restart or a crash.
//
// Updates of SpeakerState (heartbeats) are volatile: visible at once and answered without waiting for the
// disk, which gets the newest of each every few seconds in the place of the last.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "controller/store/object.hpp"
#include "controller/store/release.hpp"
#include "net/result.hpp"

namespace controller {

struct WriteError {
  enum class Code : std::uint8_t { NotFound, AlreadyExists, Conflict, Invalid, Storage };
  Code code{};
  std::string message;
  friend bool operator==(const WriteError&, const WriteError&) = default;
};

// The object as it stands after the write; of a delete, as it stood last.
using WriteResult = net::Result<ObjectPtr, WriteError>;

// One change to one object. resourceVersion, generation and, on Create, uid and creationTimestamp are set by
// the store whatever `value` says. A write that changes nothing succeeds and makes no new revision.
struct Write {
  enum class Verb : std::uint8_t {
    Create,   // value: the object
    Replace,  // value: the object
    Merge,    // value: a merge patch (RFC 7396), for instance {"status": {...}}
    Delete,   // at once, or by deletionTimestamp where the object has finalizers
  };
  Verb verb{};
  ObjectKey key{};
  nlohmann::json value{};
  std::optional<std::uint64_t> if_revision{};  // else Conflict
  std::string if_uid{};                        // else Conflict; empty: any
  // Where it is not empty, the same as `value` in compact JSON: for those who write very much.
  std::string text{};
};
// Its value as JSON text.
[[nodiscard]] std::string text_of(const Write& write);

// What happened to an object. `before` is empty when it appeared.
struct Change {
  enum class Type : std::uint8_t { Added, Modified, Deleted };
  Type type{};
  std::uint64_t revision = 0;
  ObjectPtr object;
  ObjectPtr before;
};

// The history does not reach back to the revision asked for: list, and start from the list's revision.
struct Expired {
  std::uint64_t oldest = 0;  // from here on changes are known
};

struct ListQuery {
  config::Kind kind{};
  std::string namespace_name{};                 // empty: all
  std::optional<ObjectKey> after{};             // continue behind this one
  std::optional<std::uint64_t> at{};            // as of this revision; default: now
  std::size_t limit = 0;                        // 0: all
  std::function<bool(const Object&)> filter{};  // empty: all
};

struct Snapshot {
  std::uint64_t revision = 0;  // changes() from here on is all that the snapshot does not show
  std::vector<ObjectPtr> objects{};
  bool more = false;  // the limit cut it short
};

// Cancels the subscription it stands for when destroyed; must not outlive what it was made by.
class Subscription {
 public:
  Subscription() = default;
  explicit Subscription(std::function<void()> cancel) : cancel_{std::move(cancel)} {}
  Subscription(Subscription&& other) noexcept : cancel_{std::exchange(other.cancel_, nullptr)} {}
  Subscription& operator=(Subscription&& other) noexcept {
    std::swap(cancel_, other.cancel_);
    return *this;
  }
  ~Subscription() {
    if (cancel_) cancel_();
  }

 private:
  std::function<void()> cancel_;
};

// Objects wherever they are kept: in our store, or in a Kubernetes API. One thread makes every call.
class Objects {
 public:
  Objects() = default;
  virtual ~Objects() = default;
  Objects(const Objects&) = delete;
  Objects& operator=(const Objects&) = delete;
  Objects(Objects&&) = delete;
  Objects& operator=(Objects&&) = delete;

  // Reading: what is committed.
  [[nodiscard]] virtual ObjectPtr get(const ObjectKey& key) const = 0;  // empty: no such object
  [[nodiscard]] virtual net::Result<Snapshot, Expired> list(const ListQuery& query) const = 0;
  // All changes of a kind up to here are committed.
  [[nodiscard]] virtual std::uint64_t revision(config::Kind kind) const = 0;
  // At most `limit` changes after `revision`, oldest first. The caller keeps the position, nobody keeps a queue for
  // it: a reader that stays behind for longer than the history gets Expired.
  [[nodiscard]] virtual net::Result<std::vector<Change>, Expired> changes(config::Kind kind, std::uint64_t revision,
                                                                          std::size_t limit) const = 0;
  // `wake` is called on the owner's thread after changes of the kind were published, never from inside a call
  // to write(). It may call everything here.
  [[nodiscard]] virtual Subscription subscribe(config::Kind kind, std::function<void()> wake) = 0;

  // Each write of a batch stands on its own: one that is refused does not hold back the others. `done` is called
  // once, on the owner's thread and never from inside write(), with one result for each write in order.
  using Done = std::function<void(std::vector<WriteResult>)>;
  virtual void write(std::vector<Write> batch, Done done) = 0;
  // The newest revision including what is on its way: what the next write is checked against.
  [[nodiscard]] virtual ObjectPtr latest(const ObjectKey& key) const = 0;

  // What was given up in earlier lives of the store and not forgotten, oldest first: of each thing, the last time.
  [[nodiscard]] virtual std::vector<Release> releases() const = 0;
  // Drops the record of releases before that moment, with the next write.
  virtual void forget_releases(std::chrono::system_clock::time_point before) = 0;
};

struct StoreOptions {
  std::filesystem::path file;  // created when absent; a second process is refused
  // Runs a function later on the owner's thread; called from the store's thread as well. What was posted must
  // not run once the store is gone.
  std::function<void(std::function<void()>)> post;
  std::function<std::chrono::system_clock::time_point()> now;
  std::size_t history = 4096;                  // changes kept of each kind, or as many as it has objects
  std::chrono::seconds volatile_interval{10};  // how old a heartbeat on disk may get
  // What an object (its text) holds for itself, each by a name. What a write makes it give up is put on record in the
  // same transaction; see releases(). Empty: no object holds anything.
  std::function<std::vector<std::string>(config::Kind, std::string_view)> holdings{};
};

// How one transaction went.
struct Commit {
  std::chrono::nanoseconds took{};
  std::string error{};  // empty: it is on disk
};

struct StoreStatistics {
  std::uint64_t transactions = 0;
  std::uint64_t rows = 0;      // written in them
  std::uint64_t failures = 0;  // transactions that failed
  std::uint64_t pending = 0;   // rows on their way
};

class Store final : public Objects {
 public:
  // Throws std::runtime_error when the file cannot be opened, is held by another process or is damaged.
  explicit Store(StoreOptions options);
  // Writes what is still on its way; its callbacks are not called.
  ~Store() override;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  [[nodiscard]] ObjectPtr get(const ObjectKey& key) const override;
  [[nodiscard]] net::Result<Snapshot, Expired> list(const ListQuery& query) const override;
  [[nodiscard]] std::size_t count(config::Kind kind) const;
  [[nodiscard]] std::uint64_t revision(config::Kind kind) const override;
  [[nodiscard]] net::Result<std::vector<Change>, Expired> changes(config::Kind kind, std::uint64_t revision,
                                                                  std::size_t limit) const override;
  [[nodiscard]] Subscription subscribe(config::Kind kind, std::function<void()> wake) override;

  // The batch goes into one transaction; `done` is called when all of it is durable and visible.
  void write(std::vector<Write> batch, Done done) override;
  // What write() would answer now, without doing it.
  [[nodiscard]] WriteResult preview(const Write& write) const;
  [[nodiscard]] ObjectPtr latest(const ObjectKey& key) const override;

  [[nodiscard]] std::vector<Release> releases() const override;
  void forget_releases(std::chrono::system_clock::time_point before) override;

  // Puts heartbeats on disk when they are due. Call it every second or so.
  void tick();

  [[nodiscard]] StoreStatistics statistics() const;
  // Called after each transaction; for metrics and the log.
  void on_commit(std::function<void(const Commit&)> observer);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace controller
