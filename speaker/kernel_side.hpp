// SPDX-License-Identifier: Apache-2.0
// The speaker's hold on the kernel: links followed, learned routes written by a thread of their own, service addresses
// on the loopback interface. Turns values of BGP into values of netlink; decides nothing of either.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "bgp/wire/attributes.hpp"
#include "config/resources.hpp"
#include "netlink/fib_thread.hpp"
#include "netlink/links.hpp"
#include "netlink/service_addresses.hpp"
#include "speaker/log.hpp"

namespace speaker {

class KernelSide {
 public:
  // Throws std::system_error when the kernel gives no sockets.
  // `told` hears what became of routes, of each where the configuration asks for it (installBeforeAdvertising).
  struct Events {
    std::function<void()> links_changed;
    std::function<void(std::span<const netlink::RouteReport>)> told;
    // Of the tracked next hops, all to which nothing leads.
    std::function<void(std::vector<net::IpAddress>)> unreachable;
  };
  KernelSide(boost::asio::io_context& io, Log& log, netlink::Namespace network, Events events);
  ~KernelSide();
  KernelSide(const KernelSide&) = delete;
  KernelSide& operator=(const KernelSide&) = delete;

  [[nodiscard]] const netlink::LinkTable& links() const { return links_.table(); }

  // Where learned routes go from now on; another table or metric moves them all. `install` false takes them out.
  // True when routes must be submitted anew.
  enum class Routes : std::uint8_t { Kept, NeedReplay };
  Routes configure(const config::BGPConfiguration::Kernel& kernel);
  void want(const net::Prefix& prefix, std::span<const bgp::RouteHop> next_hops);
  // Next hops that are in use or may be. Where routes do not go into the kernel it is not asked, and all count as
  // reached.
  void track(std::vector<net::IpAddress> next_hops);
  void flush();  // hands over what want() collected
  // What an earlier life left and nobody asked for since goes.
  void sweep();
  void bind(const std::set<net::IpAddress>& service_addresses);
  // Takes everything of ours out of the kernel.
  void leave();
  // Stops writing and leaves everything where it is, for the next life to adopt.
  void detach();
  // How many routes of an earlier life were found.
  [[nodiscard]] std::size_t adopted() const;

  [[nodiscard]] std::optional<netlink::FibThreadCounters> counters() const;
  [[nodiscard]] std::vector<std::string> warnings() const;
  // Routes that wait or were refused, with the reason.
  [[nodiscard]] const std::map<net::Prefix, netlink::RouteReport>& troubled() const { return troubled_; }
  [[nodiscard]] const config::BGPConfiguration::Kernel& settings() const { return settings_; }
  // Next hops to which nothing leads, ascending.
  [[nodiscard]] const std::vector<net::IpAddress>& unreachable() const { return unreachable_; }

 private:
  void follow_links();
  void follow_reports();
  void reconcile_addresses();
  void open_fib();
  void set_reporting();
  void take_some_reports();
  void take_unreachable(std::vector<net::IpAddress> next_hops);

  boost::asio::io_context& io_;
  Log& log_;
  netlink::Namespace network_;
  Events events_;
  netlink::Links links_;
  boost::asio::posix::stream_descriptor links_readable_;
  std::unique_ptr<netlink::FibThread> fib_;
  std::unique_ptr<boost::asio::posix::stream_descriptor> reports_readable_;
  config::BGPConfiguration::Kernel settings_;
  bool configured_ = false;
  // Collected by want(): the hops of all changes in one run, and where each change's lie in it.
  std::vector<netlink::NextHop> hops_;
  struct Collected {
    net::Prefix prefix;
    std::size_t first = 0;
    std::size_t count = 0;
    std::uint32_t metric = 0;
  };
  std::vector<Collected> collected_;
  std::vector<netlink::RouteReport> reports_;  // taken, and looked at up to reports_at_
  std::size_t reports_at_ = 0;
  std::map<net::Prefix, netlink::RouteReport> troubled_;
  std::vector<net::IpAddress> tracked_;
  std::vector<net::IpAddress> unreachable_;
  netlink::ServiceAddresses addresses_;
  std::set<net::IpAddress> bound_;
  std::shared_ptr<KernelSide*> self_ = std::make_shared<KernelSide*>(this);  // for what is posted
};

}  // namespace speaker
