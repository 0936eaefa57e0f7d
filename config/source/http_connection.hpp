// SPDX-License-Identifier: Apache-2.0
// One HTTP/1.1 connection to an API, over TCP, TLS or a unix socket: whole exchanges, and responses read
// piece by piece. It connects when it must and is not shared: one request at a time.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "config/source/api_endpoint.hpp"
#include "net/result.hpp"

namespace config {

struct HttpRequest {
  std::string method = "GET";
  std::string target;
  std::string body;
  std::string content_type;
};

struct HttpResponse {
  int status = 0;
  std::string body;
  std::chrono::seconds retry_after{0};  // when the server said how long to keep away
  std::vector<std::string> warnings{};  // for people, besides the answer: Warning, RFC 7234 section 5.5
};

// The text of a Warning header, `299 - "text"`; nothing when it is not of that form. APIs send one header for each.
[[nodiscard]] std::optional<std::string> warning_text(std::string_view header);

class HttpConnection {
 public:
  using Timeout = std::chrono::milliseconds;
  template <class T>
  using Answer = boost::asio::awaitable<net::Result<T, std::string>>;  // the error says what went wrong

  // Certificates are looked at when a connection is made: what is wrong with them is the answer to a request.
  [[nodiscard]] static std::unique_ptr<HttpConnection> make(boost::asio::any_io_executor executor,
                                                            const ApiEndpoint& endpoint);
  virtual ~HttpConnection() = default;
  HttpConnection() = default;
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;
  HttpConnection(HttpConnection&&) = delete;
  HttpConnection& operator=(HttpConnection&&) = delete;

  // The timeout is for each step: connecting, sending, every piece received.
  virtual Answer<HttpResponse> exchange(HttpRequest request, Timeout timeout) = 0;
  // The head of a response (its status); its body follows by read_some.
  virtual Answer<int> open(HttpRequest request, Timeout timeout) = 0;
  // The next piece of the body; empty at its end.
  virtual Answer<std::string> read_some(Timeout timeout) = 0;
  // Ends whatever is waiting. The next request connects anew.
  virtual void close() = 0;
};

}  // namespace config
