// SPDX-License-Identifier: Apache-2.0
// Sends and hears router advertisements on the links whose neighbours are known by nothing else. The one raw socket
// is opened when the first such link is asked for.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "netlink/link_table.hpp"
#include "speaker/unnumbered/discovery.hpp"

namespace speaker {

class UnnumberedLinks {
 public:
  // `changed` is called when a neighbour was found or is another one; `in_use` tells whether that of a link has a
  // session; `trouble` is called with what a person has to put right.
  UnnumberedLinks(boost::asio::io_context& io, std::function<void()> changed,
                  std::function<bool(std::uint32_t index)> in_use, std::function<void(const std::string&)> trouble);
  ~UnnumberedLinks();
  UnnumberedLinks(const UnnumberedLinks&) = delete;
  UnnumberedLinks& operator=(const UnnumberedLinks&) = delete;

  // To be called when the wanted interfaces or the links of the host have changed.
  void set(const std::set<std::string>& interfaces, const netlink::LinkTable& links);
  [[nodiscard]] std::map<std::string, net::Result<net::Ipv6Address, std::string>> neighbors() const {
    return discovery_.neighbors();
  }

 private:
  bool open();
  void listen();
  void read();
  void send();
  void arm();

  boost::asio::io_context& io_;
  std::function<void()> changed_;
  std::function<void(const std::string&)> trouble_;
  Discovery discovery_;
  std::map<std::uint32_t, std::optional<net::Mac>> macs_;  // by interface
  std::set<std::uint32_t> joined_;
  std::unique_ptr<boost::asio::posix::stream_descriptor> socket_;
  boost::asio::steady_timer timer_;
  bool failed_ = false;  // said once
};

}  // namespace speaker
