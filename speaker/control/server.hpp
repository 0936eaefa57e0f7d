// SPDX-License-Identifier: Apache-2.0
// A small HTTP/1.1 server on the speaker's loop, for the control socket and for metrics: GET and POST with
// short requests, answers of any length made piece by piece. Knows nothing of what is asked.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "net/result.hpp"

namespace speaker {

struct ControlRequest {
  enum class Method { Get, Post } method = Method::Get;
  std::string path;                          // without the query, percent-decoded
  std::map<std::string, std::string> query;  // percent-decoded
};

struct ControlReply {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  // Appends the next piece to `out`; false when that was the last. Called while the client keeps reading, so a
  // table of any size is never in memory as text.
  std::function<bool(std::string& out)> more;
};

class ControlServer {
 public:
  using Handler = std::function<ControlReply(const ControlRequest&)>;
  ControlServer(boost::asio::io_context& loop, Handler handler);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  // "unix:PATH" (mode 0600, a stale socket file is replaced) or "ADDRESS:PORT" ("[::1]:7473" for IPv6).
  // The error says what is wrong with the endpoint.
  net::Result<void, std::string> listen(const std::string& endpoint);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace speaker
