// SPDX-License-Identifier: Apache-2.0
// One connection of the API: reads requests one after the other, has them handled, writes the answers. The same
// for plain and TLS streams.
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>

#include "controller/api/request.hpp"

namespace controller {

// What a connection needs of its server.
struct ConnectionRules {
  // Who sends a request with this Authorization header; nothing: nobody we know.
  std::function<std::optional<Caller>(std::string_view authorization)> authenticate;
  std::function<void(const Request&, Respond)> handle;
};

class Connection {
 public:
  virtual ~Connection() = default;
  // Until the peer or drain() ends it. Does not throw.
  virtual boost::asio::awaitable<void> run() = 0;
  // No request after the one under way; a watch ends here.
  virtual void drain() = 0;
  virtual void abort() = 0;
};

using Socket = boost::asio::generic::stream_protocol::socket;
// `tls` may be null: plain text.
[[nodiscard]] std::unique_ptr<Connection> make_connection(Socket socket, boost::asio::ssl::context* tls,
                                                          ConnectionRules rules);

}  // namespace controller
