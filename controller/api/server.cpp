// SPDX-License-Identifier: Apache-2.0
#include "controller/api/server.hpp"

#include <set>
#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/api/connection.hpp"
#include "net/match.hpp"

namespace controller {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Local = asio::local::stream_protocol;
using boost::system::error_code;

// HTTP/1.1 is all we speak; saying so in the handshake keeps clients from trying HTTP/2 (RFC 7301).
int choose_protocol(SSL* /*tls*/, const unsigned char** chosen, unsigned char* length, const unsigned char* offered,
                    unsigned int offered_length, void* /*unused*/) {
  static constexpr unsigned char http11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* found = nullptr;
  const auto result = SSL_select_next_proto(&found, length, http11, sizeof http11, offered, offered_length);
  *chosen = found;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

std::optional<asio::ssl::context> make_tls(const ServerOptions& options) {
  if (options.certificate.empty() && options.certificate_text.empty()) return std::nullopt;
  asio::ssl::context tls{asio::ssl::context::tls_server};
  tls.set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1 |
                  asio::ssl::context::default_workarounds);
  error_code error;
  if (options.certificate.empty())
    tls.use_certificate_chain(asio::buffer(options.certificate_text), error);
  else
    tls.use_certificate_chain_file(options.certificate.string(), error);
  if (error) throw std::runtime_error(fmt::format("certificate {}: {}", options.certificate.string(), error.message()));
  if (options.key.empty())
    tls.use_private_key(asio::buffer(options.key_text), asio::ssl::context::pem, error);
  else
    tls.use_private_key_file(options.key.string(), asio::ssl::context::pem, error);
  if (error) throw std::runtime_error(fmt::format("key {}: {}", options.key.string(), error.message()));
  SSL_CTX_set_alpn_select_cb(tls.native_handle(), choose_protocol, nullptr);
  return tls;
}

tcp::acceptor bind_tcp(asio::io_context& context, const TcpEndpoint& at) {
  const tcp::endpoint endpoint{asio::ip::make_address(net::print(at.address)), at.port};
  tcp::acceptor acceptor{context, endpoint.protocol()};
  acceptor.set_option(tcp::acceptor::reuse_address{true});
  if (endpoint.protocol() == tcp::v6()) acceptor.set_option(asio::ip::v6_only{true});
  acceptor.bind(endpoint);
  acceptor.listen();
  return acceptor;
}

// A socket that nobody listens on is what a killed predecessor left, and in the way.
void remove_stale(asio::io_context& context, const Local::endpoint& endpoint) {
  error_code error;
  Local::socket probe{context};
  probe.connect(endpoint, error);
  if (error == asio::error::connection_refused) ::unlink(endpoint.path().c_str());
}

Local::acceptor bind_local(asio::io_context& context, const UnixEndpoint& at) {
  const Local::endpoint endpoint{at.path};
  remove_stale(context, endpoint);
  Local::acceptor acceptor{context, endpoint.protocol()};
  // Nobody but its owner may connect, from the first moment on.
  const auto before = ::umask(0177);
  error_code error;
  acceptor.bind(endpoint, error);
  ::umask(before);
  if (error) throw boost::system::system_error(error);
  acceptor.listen();
  return acceptor;
}

}  // namespace

struct Server::State : std::enable_shared_from_this<State> {
  State(asio::io_context& given, ServerOptions options_given)
      : context{given}, options{std::move(options_given)}, tls{make_tls(options)}, cut{given} {}

  void bind(const ListenAddress& address);
  template <class Acceptor>
  asio::awaitable<void> accept(Acceptor& acceptor);
  asio::awaitable<void> serve(std::unique_ptr<Connection> connection);
  void forget(Connection* connection);
  ConnectionRules rules(bool trusted) const;

  asio::io_context& context;
  ServerOptions options;
  std::optional<asio::ssl::context> tls;
  std::vector<tcp::acceptor> tcp_acceptors;
  std::vector<Local::acceptor> local_acceptors;
  std::vector<std::string> paths;  // to be removed at the end
  std::set<Connection*> connections;
  asio::steady_timer cut;
  std::function<void()> drained;
};

void Server::State::bind(const ListenAddress& address) {
  try {
    std::visit(net::match{
                   [this](const TcpEndpoint& at) { tcp_acceptors.push_back(bind_tcp(context, at)); },
                   [this](const UnixEndpoint& at) {
                     local_acceptors.push_back(bind_local(context, at));
                     paths.push_back(at.path);
                   },
               },
               address);
  } catch (const boost::system::system_error& error) {
    throw std::runtime_error(fmt::format("cannot listen on {}: {}", print(address), error.code().message()));
  }
}

ConnectionRules Server::State::rules(bool trusted) const {
  const auto* tokens = trusted ? nullptr : options.tokens;
  return {.authenticate = [tokens](std::string_view authorization) -> std::optional<Caller> {
            return tokens == nullptr ? Caller{} : tokens->caller(authorization);
          },
          .handle = options.handler};
}

template <class Acceptor>
asio::awaitable<void> Server::State::accept(Acceptor& acceptor) {
  const auto self = shared_from_this();
  constexpr auto is_local = std::is_same_v<Acceptor, Local::acceptor>;
  while (acceptor.is_open()) {
    error_code error;
    auto socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::operation_aborted || !acceptor.is_open()) co_return;
    if (error) {
      // Out of descriptors, most likely: let some connections end first.
      asio::steady_timer pause{context, std::chrono::milliseconds{100}};
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    if (connections.size() >= options.max_connections) continue;  // closed as it is
    if constexpr (!is_local) socket.set_option(tcp::no_delay{true}, error);
    auto connection = make_connection(Socket{std::move(socket)}, !is_local && tls ? &*tls : nullptr, rules(is_local));
    connections.insert(connection.get());
    if (options.connections_changed) options.connections_changed(connections.size());
    asio::co_spawn(context, serve(std::move(connection)), asio::detached);
  }
}

asio::awaitable<void> Server::State::serve(std::unique_ptr<Connection> connection) {
  const auto self = shared_from_this();
  co_await connection->run();
  forget(connection.get());
}

void Server::State::forget(Connection* connection) {
  connections.erase(connection);
  if (options.connections_changed) options.connections_changed(connections.size());
  if (!connections.empty() || !drained) return;
  cut.cancel();
  std::exchange(drained, nullptr)();
}

Server::Server(asio::io_context& context, ServerOptions options)
    : state_{std::make_shared<State>(context, std::move(options))} {
  for (const auto& address : state_->options.listen) state_->bind(address);
  // The vectors do not change any more: coroutines refer to their elements.
  for (auto& acceptor : state_->tcp_acceptors) asio::co_spawn(context, state_->accept(acceptor), asio::detached);
  for (auto& acceptor : state_->local_acceptors) asio::co_spawn(context, state_->accept(acceptor), asio::detached);
}

Server::~Server() {
  for (const auto& path : state_->paths) ::unlink(path.c_str());
}

std::vector<ListenAddress> Server::addresses() const {
  std::vector<ListenAddress> all;
  for (const auto& acceptor : state_->tcp_acceptors) {
    const auto endpoint = acceptor.local_endpoint();
    const auto address = net::parse_ip(endpoint.address().to_string());
    if (address) all.emplace_back(TcpEndpoint{*address, endpoint.port()});
  }
  for (const auto& path : state_->paths) all.emplace_back(UnixEndpoint{path});
  return all;
}

void Server::drain(std::chrono::milliseconds patience, std::function<void()> drained) {
  error_code ignored;
  for (auto& acceptor : state_->tcp_acceptors) acceptor.close(ignored);
  for (auto& acceptor : state_->local_acceptors) acceptor.close(ignored);
  if (state_->connections.empty()) return asio::post(state_->context, std::move(drained));
  state_->drained = std::move(drained);
  state_->cut.expires_after(patience);
  state_->cut.async_wait([state = state_](error_code error) {
    if (error) return;
    for (auto* connection : std::set{state->connections}) connection->abort();
  });
  for (auto* connection : std::set{state_->connections}) connection->drain();
}

}  // namespace controller
