// SPDX-License-Identifier: Apache-2.0
// The connection to one RPKI cache (RFC 8210) over TCP: dials, feeds the session, dials again when it says so.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "bgp/rpki/rtr_session.hpp"
#include "config/resources.hpp"

namespace speaker {

using RpkiCache = config::BGPConfiguration::RpkiCache;

class CacheClient : public std::enable_shared_from_this<CacheClient> {
 public:
  // `changed` is called when the session has other payloads, `moved` when the cache is reached, and when it is lost or
  // not reached for another reason than before.
  CacheClient(boost::asio::io_context& io, RpkiCache cache, std::function<void()> changed, std::function<void()> moved);
  void start();
  void stop();  // nothing is called any more

  [[nodiscard]] const RpkiCache& cache() const { return cache_; }
  [[nodiscard]] const bgp::RtrSession& session() const { return session_; }
  [[nodiscard]] std::string trouble() const { return trouble_.value_or(""); }

 private:
  void dial();
  void read();
  void pump();
  void write();
  void hang_up(const std::string& why);
  void tell(const std::string& trouble);
  void arm();

  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
  RpkiCache cache_;
  std::function<void()> changed_;
  std::function<void()> moved_;
  bgp::RtrSession session_;
  std::optional<std::string> trouble_;  // as moved_ was told; empty: none
  bool stopped_ = false;
  bool connected_ = false;
  bool writing_ = false;
  std::vector<std::uint8_t> pending_;
  std::vector<std::uint8_t> in_flight_;
  std::array<std::uint8_t, 16384> input_{};
};

}  // namespace speaker
