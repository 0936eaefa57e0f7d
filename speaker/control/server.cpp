// SPDX-License-Identifier: Apache-2.0
#include "speaker/control/server.hpp"

#include <array>
#include <charconv>
#include <filesystem>
#include <list>
#include <sstream>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>
#include <sys/stat.h>

namespace speaker {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using asio::local::stream_protocol;
using boost::system::error_code;
using std::literals::operator""sv;
// One type for TCP and unix sockets.
using Stream = beast::basic_stream<asio::generic::stream_protocol>;
using Socket = asio::generic::stream_protocol::socket;

constexpr auto idle_timeout = std::chrono::seconds{60};
constexpr std::size_t request_limit = 64UL * 1024;
constexpr std::size_t piece_size = 32UL * 1024;

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ptr == text.data() + i + 3) {
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

ControlRequest parse_target(std::string_view target, ControlRequest::Method method) {
  ControlRequest request;
  request.method = method;
  const auto question = target.find('?');
  request.path = percent_decoded(target.substr(0, question));
  if (question == std::string_view::npos) return request;
  auto rest = target.substr(question + 1);
  while (!rest.empty()) {
    const auto pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    const auto equals = pair.find('=');
    auto value = equals == std::string_view::npos ? std::string{} : percent_decoded(pair.substr(equals + 1));
    request.query[percent_decoded(pair.substr(0, equals))] = std::move(value);
  }
  return request;
}

std::string error_body(unsigned status, std::string_view message) {
  return "{\"schemaVersion\":1,\"error\":\"" + std::string{message} + "\",\"status\":" + std::to_string(status) + "}\n";
}

net::Result<tcp::endpoint, std::string> parse_tcp(const std::string& endpoint) {
  const auto colon = endpoint.rfind(':');
  auto host = endpoint.substr(0, colon == std::string::npos ? 0 : colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  std::uint16_t port = 0;
  const auto* digits = endpoint.data() + (colon == std::string::npos ? endpoint.size() : colon + 1);
  const auto* end = endpoint.data() + endpoint.size();
  error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (error || digits == end || std::from_chars(digits, end, port).ptr != end)
    return net::fail(endpoint + ": must be unix:PATH or ADDRESS:PORT");
  return tcp::endpoint{address, port};
}

}  // namespace

struct ControlServer::State : std::enable_shared_from_this<State> {
  State(asio::io_context& io, Handler handle) : loop{io}, handler{std::move(handle)} {}

  asio::io_context& loop;
  Handler handler;
  std::list<tcp::acceptor> tcp_acceptors;
  std::list<stream_protocol::acceptor> unix_acceptors;
  std::vector<std::string> paths;
  bool open = true;

  ControlReply answer(const http::request<http::string_body>& request) {
    if (request.method() != http::verb::get && request.method() != http::verb::post)
      return {405, "application/json", error_body(405, "only GET and POST"), {}};
    const auto method =
        request.method() == http::verb::get ? ControlRequest::Method::Get : ControlRequest::Method::Post;
    return handler(parse_target({request.target().data(), request.target().size()}, method));
  }

  // All that is written has this form: others would be compiled anew.
  using Pieces = std::array<asio::const_buffer, 3>;
  static asio::awaitable<error_code> send(Stream& stream, Pieces pieces) {
    error_code error;
    stream.expires_after(idle_timeout);
    co_await asio::async_write(stream, pieces, asio::redirect_error(asio::use_awaitable, error));
    co_return error;
  }

  // The header, then the body in chunks (RFC 9112 section 7.1) that are made when the client has taken the last.
  asio::awaitable<bool> reply(Stream& stream, const ControlReply& made, unsigned version, bool keep_alive) {
    http::response<http::empty_body> head{static_cast<http::status>(made.status), version};
    head.set(http::field::content_type, made.content_type);
    head.keep_alive(keep_alive);
    head.chunked(true);
    std::ostringstream text;
    text << head.base();
    const auto header = text.str();
    auto error = co_await send(stream, {asio::buffer(header), {}, {}});
    std::string piece = made.body;
    for (bool last = !made.more; !error;) {
      while (!last && piece.size() < piece_size) last = !made.more(piece);
      if (!piece.empty()) {
        const auto size = fmt::format("{:x}\r\n", piece.size());
        error = co_await send(stream, {asio::buffer(size), asio::buffer(piece), asio::buffer("\r\n"sv)});
        piece.clear();
      }
      if (last) break;
    }
    if (!error) error = co_await send(stream, {asio::buffer("0\r\n\r\n"sv), {}, {}});
    co_return !error;
  }

  static asio::awaitable<void> serve(std::shared_ptr<State> self, Socket socket) {
    Stream stream{std::move(socket)};
    beast::flat_buffer buffer;
    for (bool go_on = true; go_on && self->open;) {
      http::request_parser<http::string_body> parser;
      parser.body_limit(request_limit);
      stream.expires_after(idle_timeout);
      error_code error;
      co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
      if (error) break;
      const auto& request = parser.get();
      const auto made = self->answer(request);
      go_on = co_await self->reply(stream, made, request.version(), request.keep_alive()) && request.keep_alive();
    }
  }

  template <class Acceptor>
  static asio::awaitable<void> accept_on(std::shared_ptr<State> self, Acceptor& acceptor) {
    while (self->open) {
      error_code error;
      auto socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
      if (error == asio::error::operation_aborted || !self->open) break;
      if (error) {  // out of descriptors: wait for some to be closed
        asio::steady_timer pause{self->loop, std::chrono::milliseconds{100}};
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
        continue;
      }
      asio::co_spawn(self->loop, serve(self, Socket{std::move(socket)}), asio::detached);
    }
  }

  template <class Acceptor>
  net::Result<void, std::string> start(std::list<Acceptor>& list, const typename Acceptor::endpoint_type& endpoint,
                                       const std::string& name) {
    auto& acceptor = list.emplace_back(loop);
    error_code error;
    acceptor.open(endpoint.protocol(), error);
    if constexpr (std::is_same_v<Acceptor, tcp::acceptor>)
      acceptor.set_option(tcp::acceptor::reuse_address{true}, error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      list.pop_back();
      return net::fail("cannot listen on " + name + ": " + error.message());
    }
    asio::co_spawn(loop, accept_on(shared_from_this(), acceptor), asio::detached);
    return {};
  }
};

ControlServer::ControlServer(asio::io_context& loop, Handler handler)
    : state_{std::make_shared<State>(loop, std::move(handler))} {}

ControlServer::~ControlServer() {
  state_->open = false;
  error_code ignored;
  for (auto& acceptor : state_->tcp_acceptors) acceptor.close(ignored);
  for (auto& acceptor : state_->unix_acceptors) acceptor.close(ignored);
  std::error_code gone;
  for (const auto& path : state_->paths) std::filesystem::remove(path, gone);
}

net::Result<void, std::string> ControlServer::listen(const std::string& endpoint) {
  if (!endpoint.starts_with("unix:")) {
    const auto parsed = parse_tcp(endpoint);
    if (!parsed) return net::fail(parsed.error());
    return state_->start(state_->tcp_acceptors, *parsed, endpoint);
  }
  const auto path = endpoint.substr(5);
  if (path.empty() || path.size() > 100) return net::fail(endpoint + ": the path must have 1 to 100 characters");
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path{path}.parent_path(), error);
  // A socket file that nobody listens on is left over from a crash.
  if (std::filesystem::is_socket(path, error)) {
    stream_protocol::socket probe{state_->loop};
    error_code refused;
    probe.connect(stream_protocol::endpoint{path}, refused);
    if (!refused) return net::fail("cannot listen on " + endpoint + ": another process does");
    std::filesystem::remove(path, error);
  }
  const auto mask = ::umask(0177);
  auto started = state_->start(state_->unix_acceptors, stream_protocol::endpoint{path}, endpoint);
  ::umask(mask);
  if (started) state_->paths.push_back(path);
  return started;
}

}  // namespace speaker
