// SPDX-License-Identifier: Apache-2.0
#include "config/source/http_connection.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "config/source/tls_context.hpp"

namespace config {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

using boost::system::error_code;
// One type for TCP and unix sockets.
using PlainStream = beast::basic_stream<asio::generic::stream_protocol>;
using TlsStream = beast::ssl_stream<PlainStream>;
using Endpoint = asio::generic::stream_protocol::endpoint;

constexpr auto token = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t largest_body = std::size_t{256} << 20U;

// The first line of the file, without white space around it.
std::string read_token(const std::string& path) {
  std::ifstream file{path};
  std::string word;
  file >> word;
  return word;
}

// A peer that is gone without a word is noticed after 25 s at most, however quiet the connection is.
void watch_liveness(int socket) {
  const auto set = [&](int level, int name, int value) { setsockopt(socket, level, name, &value, sizeof value); };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 10);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, 25'000);
  set(IPPROTO_TCP, TCP_NODELAY, 1);
}

bool is_address(const std::string& host) {
  error_code error;
  (void)asio::ip::make_address(host, error);
  return !error;
}

template <class Stream>
class BeastConnection final : public HttpConnection {
 public:
  static constexpr bool tls = std::is_same_v<Stream, TlsStream>;

  BeastConnection(asio::any_io_executor executor, ApiEndpoint endpoint)
      : executor_{std::move(executor)}, endpoint_{std::move(endpoint)}, resolver_{executor_} {}

  Answer<HttpResponse> exchange(HttpRequest request, Timeout timeout) override {
    const bool reused = stream_.has_value();
    // A server may close an idle connection at any time; that is no failure, unless the request may have
    // been carried out already.
    const bool again = reused && request.method != "POST";
    auto copy = again ? std::optional<HttpRequest>{request} : std::nullopt;
    auto status = co_await open(std::move(request), timeout);
    if (!status && copy) status = co_await open(*std::move(copy), timeout);
    if (!status) co_return net::fail(std::move(status.error()));

    HttpResponse response{*status, {}, retry_after(), warnings()};
    for (;;) {
      auto piece = co_await read_some(timeout);
      if (!piece) co_return net::fail(std::move(piece.error()));
      if (piece->empty()) co_return response;
      response.body += *piece;
      if (response.body.size() > largest_body) {
        close();
        co_return net::fail(std::string{"the response is too large"});
      }
    }
  }

  Answer<int> open(HttpRequest request, Timeout timeout) override {
    auto connected = co_await connect(timeout);
    if (!connected) co_return net::fail(std::move(connected.error()));
    auto message = make_message(std::move(request));
    layer().expires_after(timeout);
    std::ostringstream header;
    header << message.base();
    const auto head = header.str();
    const std::array<asio::const_buffer, 2> pieces{asio::buffer(head), asio::buffer(message.body())};
    const auto [write_error, written] = co_await asio::async_write(*stream_, pieces, token);
    if (write_error) co_return failed("send", write_error);

    parser_.emplace();
    parser_->body_limit(boost::none);
    while (!parser_->is_header_done()) {
      if (const auto error = co_await receive()) co_return failed("receive", error);
    }
    co_return static_cast<int>(parser_->get().result_int());
  }

  Answer<std::string> read_some(Timeout timeout) override {
    while (stream_ && parser_ && !parser_->is_done()) {
      layer().expires_after(timeout);
      if (const auto error = co_await receive()) co_return failed("receive", error);
      auto piece = std::exchange(parser_->get().body(), std::string{});
      if (!piece.empty()) co_return piece;
    }
    if (!stream_ || !parser_) co_return net::fail(std::string{"the connection is closed"});
    auto rest = std::exchange(parser_->get().body(), std::string{});
    if (rest.empty() && !parser_->keep_alive()) close();
    co_return rest;
  }

  void close() override {
    resolver_.cancel();
    // Operations that wait end with an error; the stream goes with its next use, not under their feet.
    if (stream_) layer().close();
    broken_ = true;
  }

 private:
  using Message = http::request<http::string_body>;

  // Not eagerly: a parser that wants as much as there is keeps a piece until it has seen the length of the next one.
  asio::awaitable<error_code> receive() {
    const auto [error, count] = co_await http::async_read_some(*stream_, buffer_, *parser_, token);
    co_return error;
  }

  PlainStream& layer() { return beast::get_lowest_layer(*stream_); }

  net::Result<int, std::string> failure(const char* what, const error_code& error) {
    close();
    const auto why = error == beast::error::timeout ? std::string{"timed out"} : error.message();
    return net::fail(print(endpoint_) + ": cannot " + what + ": " + why);
  }
  auto failed(const char* what, const error_code& error) { return net::fail(failure(what, error).error()); }

  Message make_message(HttpRequest request) {
    Message message;
    message.version(11);
    message.method_string(request.method);
    message.target(endpoint_.prefix + request.target);
    message.set(http::field::host, host_header());
    message.set(http::field::user_agent, "herald");
    message.set(http::field::accept, "application/json");
    const auto word = endpoint_.token_file.empty() ? endpoint_.token : read_token(endpoint_.token_file);
    if (!word.empty()) message.set(http::field::authorization, "Bearer " + word);
    if (!request.content_type.empty()) message.set(http::field::content_type, request.content_type);
    message.body() = std::move(request.body);
    message.prepare_payload();
    return message;
  }

  std::string host_header() const {
    if (endpoint_.transport == ApiEndpoint::Transport::Unix) return "localhost";
    const bool v6 = endpoint_.host.find(':') != std::string::npos;
    return (v6 ? "[" + endpoint_.host + "]" : endpoint_.host) + ":" + endpoint_.port;
  }

  Answer<bool> connect(Timeout timeout) {
    // A response that was not read to its end leaves the connection without use.
    if (parser_ && !parser_->is_done()) broken_ = true;
    if (stream_ && !broken_) co_return true;
    broken_ = false;
    parser_.reset();
    buffer_.clear();
    auto endpoints = co_await resolve();
    if (!endpoints) co_return net::fail(std::move(endpoints.error()));
    error_code last = asio::error::not_found;
    for (const auto& endpoint : *endpoints) {
      if (auto made = make_stream(); !made) co_return net::fail(std::move(made.error()));
      layer().expires_after(timeout);
      const auto [error] = co_await layer().async_connect(endpoint, token);
      last = error;
      if (!error || error == asio::error::operation_aborted) break;
    }
    if (last) {
      stream_.reset();
      co_return failed("connect", last);
    }
    if (endpoint_.transport != ApiEndpoint::Transport::Unix) watch_liveness(layer().socket().native_handle());
    if constexpr (tls) {
      const auto [error] = co_await stream_->async_handshake(asio::ssl::stream_base::client, token);
      if (error) {
        auto why = failed("connect", error);
        stream_.reset();
        co_return why;
      }
    }
    co_return true;
  }

  net::Result<int, std::string> make_stream() {
    if constexpr (tls) {
      auto context = make_tls_context(endpoint_);
      if (!context) return net::fail(print(endpoint_) + ": " + context.error());
      context_.emplace(*std::move(context));
      stream_.emplace(executor_, *context_);
      const auto& name = endpoint_.server_name.empty() ? endpoint_.host : endpoint_.server_name;
      // RFC 6066 section 3: an address is no server name.
      if (!is_address(name)) SSL_set_tlsext_host_name(stream_->native_handle(), name.c_str());
      if (endpoint_.verification == ApiEndpoint::Verification::Required)
        stream_->set_verify_callback(asio::ssl::host_name_verification{name});
    } else {
      stream_.emplace(executor_);
    }
    return 0;
  }

  // RFC 9110 section 10.2.3, in seconds; the form with a date is not used by APIs.
  std::chrono::seconds retry_after() const {
    const auto value = parser_->get()[http::field::retry_after];
    int seconds = 0;
    std::from_chars(value.data(), value.data() + value.size(), seconds);
    return std::chrono::seconds{std::clamp(seconds, 0, 60)};
  }

  std::vector<std::string> warnings() const {
    std::vector<std::string> out;
    const auto [begin, end] = parser_->get().equal_range(http::field::warning);
    for (auto header = begin; header != end; ++header)
      if (auto text = warning_text({header->value().data(), header->value().size()})) out.push_back(std::move(*text));
    return out;
  }

  Answer<std::vector<Endpoint>> resolve() {
    std::vector<Endpoint> endpoints;
    if (endpoint_.transport == ApiEndpoint::Transport::Unix) {
      endpoints.emplace_back(asio::local::stream_protocol::endpoint{endpoint_.host});
      co_return endpoints;
    }
    const auto [error, found] = co_await resolver_.async_resolve(endpoint_.host, endpoint_.port, token);
    if (error) co_return failed("find the address", error);
    for (const auto& entry : found) endpoints.emplace_back(entry.endpoint());
    co_return endpoints;
  }

  asio::any_io_executor executor_;
  ApiEndpoint endpoint_;
  std::optional<asio::ssl::context> context_;
  asio::ip::tcp::resolver resolver_;
  std::optional<Stream> stream_;
  bool broken_ = false;
  beast::flat_buffer buffer_;
  std::optional<http::response_parser<http::string_body>> parser_;
};

}  // namespace

std::unique_ptr<HttpConnection> HttpConnection::make(asio::any_io_executor executor, const ApiEndpoint& endpoint) {
  if (endpoint.transport == ApiEndpoint::Transport::Tls)
    return std::make_unique<BeastConnection<TlsStream>>(std::move(executor), endpoint);
  return std::make_unique<BeastConnection<PlainStream>>(std::move(executor), endpoint);
}

std::optional<std::string> warning_text(std::string_view header) {
  // A code of three digits, who says it (one word), and the text between quotes, RFC 7234 section 5.5.
  const auto agent = header.find(' ');
  const auto quote = agent == std::string_view::npos ? agent : header.find(" \"", agent + 1);
  if (agent != 3 || quote == std::string_view::npos) return std::nullopt;
  std::string text;
  for (auto i = quote + 2; i < header.size() && header[i] != '"'; ++i) {
    if (header[i] == '\\' && i + 1 < header.size()) ++i;
    text += header[i];
  }
  return text;
}

}  // namespace config
