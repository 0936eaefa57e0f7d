// SPDX-License-Identifier: Apache-2.0
// The Services, pools and namespaces of a Kubernetes API as the allocation loop wants to see them, and Herald's own
// objects for those who write their statuses: kept up to date by watches, with a history of changes; what is written
// goes to the API by status_writer. While the API is away the last state stands. Decides nothing.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "config/source/collection_follower.hpp"
#include "controller/kubernetes/status_writer.hpp"
#include "controller/store/store.hpp"

namespace controller {

class Mirror final : public Objects {
 public:
  struct Options {
    config::ApiEndpoint endpoint;
    std::string metallb_namespace = "metallb-system";  // empty: MetalLB's pools are left alone
  };
  struct Listener {
    std::function<void()> synced;                   // once: everything was listed
    std::function<void(const std::string&)> event;  // for the log
  };
  // `may_write` is asked before every request that changes something.
  Mirror(const boost::asio::any_io_executor& executor, Options options, StatusWriter::Gate may_write,
         Listener listener);
  ~Mirror() override;
  Mirror(const Mirror&) = delete;
  Mirror& operator=(const Mirror&) = delete;
  Mirror(Mirror&&) = delete;
  Mirror& operator=(Mirror&&) = delete;

  void start();
  void stop();
  [[nodiscard]] bool synced() const { return synced_; }
  // Lists the Services again; `done` when they are as the API has them, to be sure of what others wrote just before.
  void refresh(std::function<void()> done);
  // Everything is followed at this moment.
  [[nodiscard]] bool current() const;

  [[nodiscard]] ObjectPtr get(const ObjectKey& key) const override;
  [[nodiscard]] net::Result<Snapshot, Expired> list(const ListQuery& query) const override;
  [[nodiscard]] std::uint64_t revision(config::Kind kind) const override;
  [[nodiscard]] net::Result<std::vector<Change>, Expired> changes(config::Kind kind, std::uint64_t revision,
                                                                  std::size_t limit) const override;
  [[nodiscard]] Subscription subscribe(config::Kind kind, std::function<void()> wake) override;
  // Merge patches of a status, and Events.
  void write(std::vector<Write> batch, Done done) override;
  // As it is known; a pool that is not ours by this name is MetalLB's.
  [[nodiscard]] ObjectPtr latest(const ObjectKey& key) const override;
  // What Services were seen to give up since this process follows them: a controller that stood by knows which
  // addresses rest when it takes over. Of what happened before it started there is no record anywhere.
  [[nodiscard]] std::vector<Release> releases() const override { return {releases_.begin(), releases_.end()}; }
  void forget_releases(std::chrono::system_clock::time_point before) override;

  [[nodiscard]] StatusWriter& writer() { return writer_; }
  [[nodiscard]] std::size_t count(config::Kind kind) const;

 private:
  class Sink;
  struct Collection;
  // What an object is to us, and who wants to know.
  struct KindState {
    std::map<ObjectKey, ObjectPtr> objects;
    std::deque<Change> history;  // its revisions are ours: they count changes
    std::uint64_t revision = 0;
    std::map<std::uint64_t, std::function<void()>> wakes;
  };
  // Whether an older state may replace a newer one: a list is the truth, an event may be late.
  enum class Age : std::uint8_t { Newer, Any };

  KindState& state(config::Kind kind) { return kinds_[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] const KindState& state(config::Kind kind) const { return kinds_[static_cast<std::size_t>(kind)]; }
  void put(const ObjectKey& key, const nlohmann::json& object, Age age);
  void erase(const ObjectKey& key);
  void publish(config::Kind kind);
  void listed(config::Kind kind);
  // Notes the addresses that a Service had by `before` and has not any more; `after` may be empty.
  void note_releases(const Object& before, const Object* after);

  static constexpr std::size_t most_history = 4096;
  static constexpr std::size_t most_releases = 100'000;
  boost::asio::any_io_executor executor_;
  Options options_;
  Listener listener_;
  std::array<KindState, static_cast<std::size_t>(config::Kind::Event) + 1> kinds_;
  std::vector<std::unique_ptr<Collection>> collections_;
  StatusWriter writer_;
  std::function<void()> refreshed_;
  std::deque<Release> releases_;  // oldest first; bounded
  std::uint64_t next_wake_ = 0;
  bool synced_ = false;
};

}  // namespace controller
