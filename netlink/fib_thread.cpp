// SPDX-License-Identifier: Apache-2.0
#include "netlink/fib_thread.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

namespace netlink {
namespace {

// While a table is loaded, the owner comes first: it has sessions to keep up and neighbours to tell, and what it
// changes again meanwhile need not be written at all. A thread may always lower its own priority.
void yield_to_owner() {
  constexpr auto niceness = 5;
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), niceness);
}

}  // namespace

Signal::Signal() : fd_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
  if (fd_ < 0) throw std::system_error{errno, std::generic_category(), "eventfd"};
}
Signal::~Signal() {
  ::close(fd_);
}
void Signal::raise() {
  const std::uint64_t one = 1;
  (void)!::write(fd_, &one, sizeof one);  // a full counter is readable as well
}
void Signal::lower() {
  std::uint64_t count = 0;
  (void)!::read(fd_, &count, sizeof count);
}

// ---- the owner's side ----

FibThread::FibThread(const FibOptions& options) : fib_{options}, thread_{[this] { run(); }} {}

FibThread::~FibThread() {
  put([](Inbox& inbox) { inbox.stop = true; });
  thread_.join();
}

template <class Fill>
void FibThread::put(Fill&& fill) {
  const std::scoped_lock lock{inbox_mutex_};
  fill(inbox_);
  idle_ = false;
  if (!std::exchange(awake_, true)) work_.raise();
}

void FibThread::submit(std::span<const RouteChange> changes) {
  const auto now = net::Clock::now();
  put([&](Inbox& inbox) {
    for (const auto& change : changes) inbox.changes.put(change);
    inbox.submitted += changes.size();
    if (!inbox.oldest) inbox.oldest = now;
  });
}

void FibThread::sweep() {
  put([](Inbox& inbox) { inbox.sweep = true; });
}
void FibThread::allow(const net::IpAddress& gateway, Use use) {
  put([&](Inbox& inbox) { inbox.uses.emplace_back(gateway, use); });
}
void FibThread::set_reporting(Reporting reporting) {
  put([=](Inbox& inbox) { inbox.reporting = reporting; });
}
void FibThread::track(std::vector<net::IpAddress> gateways) {
  put([&](Inbox& inbox) { inbox.tracked = std::move(gateways); });
}
void FibThread::audit() {
  put([](Inbox& inbox) { inbox.audit = true; });
}
void FibThread::ask(const net::Prefix& prefix) {
  put([&](Inbox& inbox) { inbox.questions.push_back(prefix); });
}

std::vector<RouteReport> FibThread::take_reports() {
  const std::scoped_lock lock{outbox_mutex_};
  reported_.lower();
  std::vector<RouteReport> out;
  out.reserve(said_.size());
  said_.for_each([&](std::uint32_t handle) {
    auto& said = said_[handle];
    out.push_back({said_.prefix(handle), said.outcome, said.nexthop_id, std::move(said.text)});
  });
  said_.clear();
  return out;
}

std::optional<std::vector<net::IpAddress>> FibThread::take_unreachable() {
  const std::scoped_lock lock{outbox_mutex_};
  return std::exchange(unreachable_, std::nullopt);
}

FibThreadCounters FibThread::counters() const {
  const std::scoped_lock lock{outbox_mutex_};
  return counters_;
}

bool FibThread::settle(std::chrono::milliseconds timeout) {
  std::unique_lock lock{inbox_mutex_};
  return settled_.wait_for(lock, timeout, [&] { return idle_; });
}

// ---- the thread ----

void FibThread::run() {
  yield_to_owner();
  for (;;) {
    if (take_inbox()) return;
    const auto step = fib_.step(net::Clock::now());
    if (step == Fib::Step::Idle) finish_round();
    publish();
    if (step == Fib::Step::Idle) wait();
  }
}

// Takes what has come in. True: to stop.
bool FibThread::take_inbox() {
  {
    const std::scoped_lock lock{inbox_mutex_};
    work_.lower();
    std::swap(taken_, inbox_);  // to be taken apart outside the lock
    awake_ = true;
  }
  if (taken_.stop) return true;
  if (!round_begun_) round_begun_ = taken_.oldest;
  submitted_ += taken_.submitted;
  auto& routes = fib_.routes();
  if (taken_.tracked) fib_.track(std::move(*taken_.tracked));
  if (taken_.reporting) routes.set_reporting(*taken_.reporting);
  taken_.changes.hand_over(
      [&](auto next_hops) { return routes.intern(next_hops); },
      [&](const net::Prefix& prefix, auto set, std::uint32_t metric) { routes.want(prefix, set, metric); },
      [&](const net::Prefix& prefix) { routes.withdraw(prefix); });
  for (const auto& [gateway, use] : taken_.uses) routes.allow(gateway, use);
  if (taken_.sweep) routes.sweep();
  if (taken_.audit) fib_.audit();
  questions_ = std::move(taken_.questions);
  taken_ = Inbox{};
  return false;
}

void FibThread::publish() {
  auto reports = fib_.take_reports();
  for (const auto& prefix : std::exchange(questions_, {})) reports.push_back(fib_.status(prefix));
  const auto counters = fib_.counters();
  auto unreachable = fib_.take_unreachable();
  const std::scoped_lock lock{outbox_mutex_};
  if (unreachable) unreachable_ = std::move(unreachable);
  counters_.fib = counters;
  counters_.submitted = submitted_;
  for (auto& report : reports)
    said_[said_.insert(report.prefix).first] = {report.outcome, report.nexthop_id, std::move(report.text)};
  if (!reports.empty() || unreachable_) reported_.raise();
}

void FibThread::finish_round() {
  if (!round_begun_) return;
  const std::chrono::nanoseconds took = net::Clock::now() - *std::exchange(round_begun_, std::nullopt);
  const std::scoped_lock lock{outbox_mutex_};
  ++counters_.rounds;
  counters_.round_total += took;
  counters_.round_longest = std::max(counters_.round_longest, took);
}

void FibThread::wait() {
  {
    const std::scoped_lock lock{inbox_mutex_};
    if (!inbox_.empty()) return;
    awake_ = false;
    idle_ = true;
  }
  settled_.notify_all();
  auto timeout = -1;
  if (const auto deadline = fib_.next_deadline()) {
    const auto left = std::chrono::ceil<net::Milliseconds>(*deadline - net::Clock::now()).count();
    timeout = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  }
  std::array<pollfd, 2> ready{{{work_.fd(), POLLIN, 0}, {fib_.event_fd(), POLLIN, 0}}};
  (void)::poll(ready.data(), ready.size(), timeout);
}

}  // namespace netlink
