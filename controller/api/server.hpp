// SPDX-License-Identifier: Apache-2.0
// The API's sockets: TCP, TLS over TCP, and Unix. It turns HTTP into requests for a handler and its responses
// into HTTP, and knows nothing of resources. Everything about it is bounded: connections, sizes, and the time
// that a peer may take.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "controller/api/listen_address.hpp"
#include "controller/api/request.hpp"
#include "controller/api/tokens.hpp"

namespace controller {

struct ServerOptions {
  std::vector<ListenAddress> listen{};
  Tokens* tokens = nullptr;             // asked on TCP; who may open the Unix socket needs none
  std::filesystem::path certificate{};  // both or neither: TLS on TCP
  std::filesystem::path key{};
  std::string certificate_text{};  // the same as PEM, when there are no files
  std::string key_text{};
  std::size_t max_connections = 4096;
  std::function<void(const Request&, Respond)> handler{};
  std::function<void(std::size_t)> connections_changed{};
};

class Server {
 public:
  // Binds; throws std::runtime_error when an address cannot be had or the certificate not be used.
  Server(boost::asio::io_context& context, ServerOptions options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The addresses bound, with the ports that were chosen where 0 was asked for.
  [[nodiscard]] std::vector<ListenAddress> addresses() const;

  // Accepts no more, ends watches, lets answers under way finish and closes what is idle. `drained` is called
  // when the last connection is gone; after `patience` the rest are cut.
  void drain(std::chrono::milliseconds patience, std::function<void()> drained);

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the coroutines of its connections
};

}  // namespace controller
