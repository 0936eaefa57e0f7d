// SPDX-License-Identifier: Apache-2.0
#include "controller/api/connection.hpp"

#include <array>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include <boost/asio/async_result.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <fmt/format.h>

#include "controller/api/body.hpp"
#include "controller/api/status.hpp"

namespace controller {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using std::literals::operator""sv;

using PlainStream = beast::basic_stream<asio::generic::stream_protocol>;
using TlsStream = beast::ssl_stream<PlainStream>;

constexpr std::size_t header_limit = std::size_t{64} << 10U;
constexpr auto idle_limit = std::chrono::minutes{5};      // between requests
constexpr auto request_limit = std::chrono::seconds{60};  // for one to arrive
constexpr auto linger_limit = std::chrono::seconds{2};
constexpr auto write_limit = std::chrono::seconds{30};  // for a piece to leave: a watcher that takes none is cut

PlainStream& plain(PlainStream& stream) {
  return stream;
}
PlainStream& plain(TlsStream& stream) {
  return stream.next_layer();
}

Method method_of(http::verb verb) {
  switch (verb) {
    case http::verb::get:
      return Method::Get;
    case http::verb::post:
      return Method::Post;
    case http::verb::put:
      return Method::Put;
    case http::verb::patch:
      return Method::Patch;
    case http::verb::delete_:
      return Method::Delete;
    default:
      return Method::Other;
  }
}

std::string text_of(beast::string_view text) {
  return {text.data(), text.size()};
}

using Message = http::request<http::string_body>;
using Parser = http::request_parser<http::string_body>;
// All that is written has this form: each other one would be compiled anew, for both kinds of streams.
using Pieces = std::array<asio::const_buffer, 3>;

// Nothing when there is nobody to answer, since the connection has ended.
std::optional<Response> answer_to_no_request(error_code error) {
  if (error == http::error::body_limit) return to_response(too_large(body_limit));
  if (error == http::error::header_limit) {
    return to_response({431, "BadRequest", "the header of the request is too large"});
  }
  const auto malformed = error.category() == http::make_error_code(http::error::bad_method).category() &&
                         error != http::error::end_of_stream && error != http::error::partial_message;
  if (!malformed) return std::nullopt;
  return to_response(bad_request("not a request of HTTP/1.1: " + error.message()));
}

// The error is the answer to a request that cannot even be read.
ApiResult<Request> to_request(Message message, Caller caller) {
  Request request;
  if (!set_target(request, {message.target().data(), message.target().size()})) {
    return net::fail(bad_request("the path or query of the request is not properly percent-encoded"));
  }
  request.method = method_of(message.method());
  request.content_type = text_of(message[http::field::content_type]);
  // A header may be given several times, which means the same as one with commas.
  for (auto [field, end] = message.equal_range(http::field::accept); field != end; ++field) {
    request.accept += (request.accept.empty() ? "" : ",") + text_of(field->value());
  }
  request.user_agent = text_of(message[http::field::user_agent]);
  request.body = std::move(message.body());
  request.caller = std::move(caller);
  return request;
}

// Hands the request over and waits for the answer.
asio::awaitable<Response> handled(const ConnectionRules& rules, Request request) {
  const auto initiate = [&rules, &request](auto handler) {
    // std::function wants to copy what it holds; the completion handler can only be moved.
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    rules.handle(request, [shared](Response response) {
      auto answer = std::make_shared<Response>(std::move(response));
      const auto executor = asio::get_associated_executor(*shared);
      asio::post(executor, [shared, answer] { (*shared)(std::move(*answer)); });
    });
  };
  co_return co_await asio::async_initiate<decltype(asio::use_awaitable), void(Response)>(initiate, asio::use_awaitable);
}

template <class Stream>
class StreamConnection final : public Connection {
 public:
  template <class... Arguments>
  StreamConnection(ConnectionRules rules, Arguments&&... arguments)
      : rules_{std::move(rules)}, stream_{std::forward<Arguments>(arguments)...}, ready_{stream_.get_executor()} {}

  asio::awaitable<void> run() override {
    try {
      if (co_await handshake()) {
        while (co_await serve_one()) {
        }
      }
      co_await close();
    } catch (const std::exception&) {
      // What a peer does to its connection ends the connection and nothing else.
      abort();
    }
  }

  void drain() override {
    draining_ = true;
    ready_.cancel();
    if (!busy_) abort();
  }

  void abort() override {
    error_code ignored;
    plain(stream_).socket().close(ignored);
    ready_.cancel();
  }

 private:
  asio::awaitable<bool> handshake() {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      plain(stream_).expires_after(request_limit);
      co_await stream_.async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
    }
    co_return true;
  }

  asio::awaitable<void> close() {
    error_code ignored;
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      plain(stream_).expires_after(write_limit);
      co_await stream_.async_shutdown(asio::redirect_error(asio::use_awaitable, ignored));
    }
    plain(stream_).socket().shutdown(asio::socket_base::shutdown_send, ignored);
    // Closing with input unread resets the connection, and the peer might lose the answer that says why.
    std::array<char, 4096> discarded{};
    plain(stream_).expires_after(linger_limit);
    while (refused_ && !ignored) {
      co_await plain(stream_).async_read_some(asio::buffer(discarded),
                                              asio::redirect_error(asio::use_awaitable, ignored));
    }
    plain(stream_).socket().close(ignored);
  }

  // False when the connection is to be closed.
  asio::awaitable<bool> serve_one() {
    Parser parser;
    parser.body_limit(body_limit);
    parser.header_limit(header_limit);
    plain(stream_).expires_after(idle_limit);
    auto error = co_await read(parser, Part::Header);
    busy_ = true;
    if (!error) {
      plain(stream_).expires_after(request_limit);
      if (beast::iequals(parser.get()[http::field::expect], "100-continue"))
        co_await send({asio::buffer("HTTP/1.1 100 Continue\r\n\r\n"sv), {}, {}});
      error = co_await read(parser, Part::All);
    }
    if (error) co_return co_await refuse(error);

    auto message = parser.release();
    keep_alive_ = message.keep_alive() && !draining_;
    version_ = message.version();
    auto response = co_await answer(std::move(message));
    if (response.stream) {
      co_await write_stream(std::move(response));
    } else {
      co_await write(std::move(response));
    }
    busy_ = false;
    co_return keep_alive_ && !draining_;
  }

  enum class Part { Header, All };
  asio::awaitable<error_code> read(Parser& parser, Part part) {
    error_code error;
    parser.eager(part == Part::All);
    while (!error && !(part == Part::All ? parser.is_done() : parser.is_header_done()))
      co_await http::async_read_some(stream_, buffer_, parser, asio::redirect_error(asio::use_awaitable, error));
    co_return error;
  }

  asio::awaitable<void> send(Pieces pieces) {
    plain(stream_).expires_after(write_limit);
    co_await asio::async_write(stream_, pieces, asio::use_awaitable);
  }

  asio::awaitable<Response> answer(Message message) {
    const auto authorization = text_of(message[http::field::authorization]);
    auto caller = rules_.authenticate(authorization);
    if (!caller) co_return to_response(unauthorized());
    auto request = to_request(std::move(message), std::move(*caller));
    if (!request) co_return to_response(request.error());
    co_return co_await handled(rules_, std::move(*request));
  }

  // Of what was not a request; says why where there is somebody to say it to.
  asio::awaitable<bool> refuse(error_code error) {
    keep_alive_ = false;
    refused_ = true;
    // Named before it is awaited: gcc 12 destroys temporaries of such an expression twice.
    auto answer = answer_to_no_request(error);
    if (answer) co_await write(std::move(*answer));
    co_return false;
  }

  enum class Framing { Length, Chunks, End };
  [[nodiscard]] std::string head(const Response& response, Framing framing) const {
    http::response<http::empty_body> message{http::int_to_status(response.status), version_};
    message.set(http::field::content_type, response.content_type);
    message.set(http::field::cache_control, "no-cache, private");
    for (const auto& [name, value] : response.headers) message.set(name, value);
    message.keep_alive(keep_alive_);
    if (framing == Framing::Length) message.content_length(response.body.size());
    if (framing == Framing::Chunks) message.chunked(true);
    std::ostringstream text;
    text << message.base();
    return text.str();
  }

  asio::awaitable<void> write(Response response) {
    const auto header = head(response, Framing::Length);
    co_await send({asio::buffer(header), asio::buffer(response.body), {}});
  }

  asio::awaitable<void> write_stream(Response response) {
    const auto chunked = version_ >= 11;
    if (!chunked) keep_alive_ = false;
    const auto header = head(response, chunked ? Framing::Chunks : Framing::End);
    co_await send({asio::buffer(header), {}, {}});

    response.stream->on_ready([this] { ready_.cancel(); });
    watch_for_end();
    std::string piece;
    for (auto state = BodyStream::State::More; state != BodyStream::State::End && !draining_ && !peer_gone_;) {
      piece.clear();
      state = response.stream->next(piece, std::chrono::steady_clock::now());
      if (!piece.empty()) {
        const auto size = fmt::format("{:x}\r\n", piece.size());  // RFC 9112 section 7.1
        if (chunked)
          co_await send({asio::buffer(size), asio::buffer(piece), asio::buffer("\r\n"sv)});
        else
          co_await send({asio::buffer(piece), {}, {}});
      } else if (state == BodyStream::State::Waiting) {
        plain(stream_).expires_never();
        error_code woken;
        ready_.expires_at(response.stream->wake_at().value_or(SteadyTime::max()));
        co_await ready_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
      }
    }
    if (chunked) co_await send({asio::buffer("0\r\n\r\n"sv), {}, {}});
  }

  // While nothing is written only a read can tell that the peer has gone. What it sends meanwhile waits: it is
  // the next request.
  void watch_for_end() {
    auto& socket = plain(stream_).socket();
    error_code ignored;
    socket.non_blocking(true, ignored);  // readiness may be spurious, and the loop must not wait here
    socket.async_wait(asio::socket_base::wait_read, [this, alive = std::weak_ptr<int>{alive_}](error_code error) {
      if (alive.expired()) return;
      char byte = 0;
      error_code peeked;
      const auto count =
          error ? 0 : plain(stream_).socket().receive(asio::buffer(&byte, 1), asio::socket_base::message_peek, peeked);
      if (peeked == asio::error::would_block) return watch_for_end();
      if (count == 0 || peeked) {
        peer_gone_ = true;
        ready_.cancel();
      }
    });
  }

  ConnectionRules rules_;
  Stream stream_;
  asio::steady_timer ready_;
  beast::flat_buffer buffer_{header_limit + body_limit};
  unsigned version_ = 11;
  bool keep_alive_ = true;
  bool busy_ = false;  // a request is being read or answered
  bool draining_ = false;
  bool refused_ = false;  // input was left unread
  bool peer_gone_ = false;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);  // what watch_for_end() outlives us by
};

}  // namespace

std::unique_ptr<Connection> make_connection(Socket socket, asio::ssl::context* tls, ConnectionRules rules) {
  if (tls == nullptr) return std::make_unique<StreamConnection<PlainStream>>(std::move(rules), std::move(socket));
  return std::make_unique<StreamConnection<TlsStream>>(std::move(rules), PlainStream{std::move(socket)}, *tls);
}

}  // namespace controller
