// SPDX-License-Identifier: Apache-2.0
#include "speaker/kernel_side.hpp"

#include <algorithm>
#include <iterator>

#include <boost/asio/post.hpp>
#include <unistd.h>

#include "netlink/cleanup.hpp"

namespace speaker {
namespace {

using boost::asio::posix::stream_descriptor;
using boost::system::error_code;

// Changes are handed to the kernel's thread in lots of this size: small enough not to hold the loop, large enough that
// the hand-over costs nothing.
constexpr std::size_t lot = 4096;

netlink::NextHop to_hop(const net::Prefix& prefix, const bgp::RouteHop& hop) {
  return hop.blackhole ? netlink::nowhere(prefix.family()) : netlink::NextHop{hop.address, hop.interface, hop.weight};
}

// A link that is lost may take thousands along.
Log::Fields listed(std::span<const net::IpAddress> next_hops) {
  constexpr std::size_t most = 8;
  std::string addresses;
  for (const auto& next_hop : next_hops.first(std::min(most, next_hops.size())))
    addresses += (addresses.empty() ? "" : ",") + net::print(next_hop);
  if (next_hops.size() > most) addresses += ",...";
  return {{"number", std::to_string(next_hops.size())}, {"addresses", addresses}};
}

// Asio closes what it holds; the descriptor belongs to the library, so it gets a copy.
stream_descriptor watch(boost::asio::io_context& io, int descriptor) {
  return stream_descriptor{io, ::dup(descriptor)};
}

}  // namespace

KernelSide::KernelSide(boost::asio::io_context& io, Log& log, netlink::Namespace network, Events events)
    : io_{io}, log_{log}, network_{network}, events_{std::move(events)}, links_readable_{watch(io, links_.fd())} {
  follow_links();
}

KernelSide::~KernelSide() = default;

void KernelSide::follow_links() {
  links_readable_.async_wait(stream_descriptor::wait_read, [this](const error_code& error) {
    if (error) return;
    if (!links_.read().empty()) {
      reconcile_addresses();
      events_.links_changed();
    }
    follow_links();
  });
}

KernelSide::Routes KernelSide::configure(const config::BGPConfiguration::Kernel& kernel) {
  if (configured_ && kernel == settings_) return Routes::Kept;
  const auto before = std::exchange(settings_, kernel);
  // What is told of routes is no reason to move them.
  auto moved = before;
  moved.install_before_advertising = kernel.install_before_advertising;
  if (configured_ && fib_ != nullptr && moved == kernel) {
    set_reporting();
    return Routes::Kept;
  }
  if (fib_ != nullptr) {
    reports_readable_.reset();
    fib_.reset();
    troubled_.clear();
    unreachable_.clear();
    events_.unreachable({});
    const auto cleaned = netlink::cleanup({.table = before.table, .protocol = before.protocol, .ids = {}});
    if (cleaned)
      log_.info("kernel routes taken out",
                {{"table", std::to_string(before.table)}, {"routes", std::to_string(cleaned->routes)}});
  }
  configured_ = true;
  if (!kernel.install) return Routes::Kept;
  open_fib();
  return Routes::NeedReplay;
}

void KernelSide::open_fib() {
  netlink::FibOptions options;
  options.owner.table = settings_.table;
  options.owner.metric = settings_.metric;
  options.owner.protocol = settings_.protocol;
  options.network = network_;
  fib_ = std::make_unique<netlink::FibThread>(options);
  self_ = std::make_shared<KernelSide*>(this);  // what the last one reported no longer matters
  reports_readable_ = std::make_unique<stream_descriptor>(watch(io_, fib_->report_fd()));
  follow_reports();
  set_reporting();
  fib_->track(tracked_);
  const auto adopted = fib_->counters().fib.routes.adopted;
  if (adopted != 0) log_.info("kernel routes adopted", {{"routes", std::to_string(adopted)}});
  for (const auto& warning : warnings()) log_.warning("kernel setting", {{"detail", warning}});
}

void KernelSide::follow_reports() {
  reports_readable_->async_wait(stream_descriptor::wait_read, [this](const error_code& error) {
    if (error || fib_ == nullptr) return;
    if (auto unreachable = fib_->take_unreachable()) take_unreachable(std::move(*unreachable));
    reports_ = fib_->take_reports();
    reports_at_ = 0;
    take_some_reports();
  });
}

void KernelSide::take_some_reports() {
  const auto some = std::span{reports_}.subspan(reports_at_, std::min(lot, reports_.size() - reports_at_));
  reports_at_ += some.size();
  for (const auto& report : some) {
    const auto trouble = report.outcome == netlink::Outcome::Waiting || report.outcome == netlink::Outcome::Failed;
    if (report.outcome == netlink::Outcome::Failed)
      log_.warning("kernel refused a route",
                   {{"prefix", net::print(report.prefix)}, {"reason", report.text ? *report.text : ""}});
    if (trouble)
      troubled_.insert_or_assign(report.prefix, report);
    else
      troubled_.erase(report.prefix);
  }
  events_.told(some);
  if (reports_at_ == reports_.size()) return follow_reports();
  boost::asio::post(io_, [self = std::weak_ptr{self_}] {
    if (const auto held = self.lock(); held != nullptr && (*held)->fib_ != nullptr) (*held)->take_some_reports();
  });
}

void KernelSide::track(std::vector<net::IpAddress> next_hops) {
  tracked_ = std::move(next_hops);
  if (fib_ != nullptr) fib_->track(tracked_);
}

void KernelSide::take_unreachable(std::vector<net::IpAddress> next_hops) {
  std::vector<net::IpAddress> lost;
  std::vector<net::IpAddress> found;
  std::ranges::set_difference(next_hops, unreachable_, std::back_inserter(lost));
  std::ranges::set_difference(unreachable_, next_hops, std::back_inserter(found));
  std::erase_if(found, [&](const auto& next_hop) { return !std::ranges::binary_search(tracked_, next_hop); });
  if (!lost.empty()) log_.warning("next hops cannot be reached", listed(lost));
  if (!found.empty()) log_.info("next hops are reached again", listed(found));
  unreachable_ = std::move(next_hops);
  events_.unreachable(unreachable_);
}

void KernelSide::set_reporting() {
  fib_->set_reporting(settings_.install_before_advertising ? netlink::Reporting::Every : netlink::Reporting::Problems);
}

void KernelSide::want(const net::Prefix& prefix, std::span<const bgp::RouteHop> next_hops) {
  if (fib_ == nullptr) return;
  const auto metric = next_hops.empty() ? 0 : next_hops.front().metric;
  collected_.push_back({prefix, hops_.size(), next_hops.size(), metric});
  for (const auto& hop : next_hops) hops_.push_back(to_hop(prefix, hop));
  if (collected_.size() >= lot) flush();
}

void KernelSide::flush() {
  if (collected_.empty() || fib_ == nullptr) return;
  std::vector<netlink::RouteChange> changes;
  changes.reserve(collected_.size());
  for (const auto& change : collected_)
    changes.push_back({change.prefix, std::span{hops_}.subspan(change.first, change.count), change.metric});
  fib_->submit(changes);
  collected_.clear();
  hops_.clear();
}

void KernelSide::sweep() {
  if (fib_ != nullptr) fib_->sweep();
}

void KernelSide::bind(const std::set<net::IpAddress>& service_addresses) {
  bound_ = service_addresses;
  reconcile_addresses();
}

void KernelSide::reconcile_addresses() {
  for (const auto& problem : addresses_.reconcile(bound_, links_.table()))
    log_.warning("service address not bound", {{"address", net::print(problem.address)}, {"reason", problem.text}});
}

void KernelSide::leave() {
  reports_readable_.reset();
  fib_.reset();
  const auto cleaned = netlink::cleanup({.table = settings_.table, .protocol = settings_.protocol, .ids = {}});
  if (!cleaned) {
    log_.error("kernel not cleaned up", {{"reason", netlink::print(cleaned.error())}});
    return;
  }
  for (const auto& problem : cleaned->problems) log_.warning("left in the kernel", {{"what", problem}});
}

void KernelSide::detach() {
  flush();
  reports_readable_.reset();
  fib_.reset();
}

std::size_t KernelSide::adopted() const {
  return fib_ == nullptr ? 0 : fib_->counters().fib.routes.adopted;
}

std::optional<netlink::FibThreadCounters> KernelSide::counters() const {
  return fib_ == nullptr ? std::nullopt : std::optional{fib_->counters()};
}

std::vector<std::string> KernelSide::warnings() const {
  return fib_ == nullptr ? std::vector<std::string>{} : fib_->settings().warnings();
}

}  // namespace speaker
