// SPDX-License-Identifier: Apache-2.0
#include "controller/api/server.hpp"

#include <fstream>
#include <future>
#include <thread>

#include <boost/asio/post.hpp>
#include <gmock/gmock.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include "api_fixture.hpp"
#include "controller/api/body.hpp"
#include "socket_client.hpp"

namespace controller::testing {
namespace {

using ::testing::HasSubstr;
namespace asio = boost::asio;

// A server with an API behind it, on a thread of its own.
class RunningServer {
 public:
  explicit RunningServer(ServerOptions options, const std::filesystem::path& file)
      : store_{{.file = file,
                .post = [this](std::function<void()> work) { asio::post(context_, std::move(work)); },
                .now = [] { return std::chrono::system_clock::now(); }}},
        api_{store_, metrics_, [] { return std::chrono::system_clock::now(); }} {
    options.handler = [this](const Request& request, Respond respond) { api_.handle(request, std::move(respond)); };
    options.connections_changed = [this](std::size_t open) { connections = open; };
    store_.write({create({config::Kind::Namespace, {}, "default"})}, nullptr);
    server_.emplace(context_, std::move(options));
    thread_ = std::thread{[this] { context_.run(); }};
  }
  ~RunningServer() {
    drain(std::chrono::milliseconds{0}).wait();
    busy_.reset();
    thread_.join();
  }
  RunningServer(const RunningServer&) = delete;
  RunningServer& operator=(const RunningServer&) = delete;

  std::future<void> drain(std::chrono::milliseconds patience) {
    auto done = std::make_shared<std::promise<void>>();
    asio::post(context_, [this, patience, done] { server_->drain(patience, [done] { done->set_value(); }); });
    return done->get_future();
  }
  [[nodiscard]] std::uint16_t port() const { return std::get<TcpEndpoint>(server_->addresses().at(0)).port; }

  std::atomic<std::size_t> connections = 0;

 private:
  asio::io_context context_;
  // A server that was drained leaves the context without work, and it must still take the last drain.
  asio::executor_work_guard<asio::io_context::executor_type> busy_{context_.get_executor()};
  Metrics metrics_;
  Store store_;
  Api api_;
  std::optional<Server> server_;
  std::thread thread_;
};

class ServerOnASocket : public ::testing::Test {
 public:
  ServerOnASocket() { server.emplace(ServerOptions{.listen = {UnixEndpoint{path}}}, folder / "store.db"); }

  std::string post_service(std::string_view name) {
    const auto body = service_object(name).dump();
    return fmt::format("POST {} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
                       services, body.size(), body);
  }
  bool wait_for(const std::function<bool()>& holds) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!holds() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    return holds();
  }

  TemporaryFolder folder;
  std::string path = (folder / "api.sock").string();
  std::optional<RunningServer> server;
};

TEST_F(ServerOnASocket, IsForItsOwnerAlone) {
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(ServerOnASocket, AnswersSeveralRequestsOnOneConnection) {
  SocketClient client{path};
  EXPECT_EQ(client.get("/healthz").body, "ok");
  client.send(post_service("web"));
  EXPECT_EQ(client.answer().status, 201U);
  EXPECT_EQ(json::parse(client.get(services).body)["items"].size(), 1U);
}

TEST_F(ServerOnASocket, AnswersPipelinedRequestsInOrder) {
  SocketClient client{path};
  client.send(post_service("a") + post_service("b") + "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(json::parse(client.answer().body)["metadata"]["name"], "a");
  EXPECT_EQ(json::parse(client.answer().body)["metadata"]["name"], "b");
  EXPECT_EQ(client.answer().body, "ok");
}

TEST_F(ServerOnASocket, ClosesWhenAsked) {
  SocketClient client{path};
  EXPECT_EQ(client.get("/healthz", "Connection: close\r\n").status, 200U);
  EXPECT_EQ(client.read_to_end(), "");
}

TEST_F(ServerOnASocket, SpeaksHttp10) {
  SocketClient client{path};
  client.send(fmt::format("GET {} HTTP/1.0\r\n\r\n", services));
  const auto text = client.read_to_end();
  EXPECT_THAT(text, HasSubstr("\"items\":[]"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("chunked")));
}

TEST_F(ServerOnASocket, SendsEventsWhenTheyHappen) {
  SocketClient watcher{path};
  watcher.send(fmt::format("GET {}?watch=1 HTTP/1.1\r\nHost: x\r\n\r\n", services));
  watcher.read_until("\r\n\r\n");
  SocketClient client{path};
  client.send(post_service("web"));
  EXPECT_EQ(client.answer().status, 201U);
  EXPECT_EQ(json::parse(watcher.chunk())["type"], "ADDED");
}

TEST_F(ServerOnASocket, ForgetsWatchersThatLeave) {
  {
    SocketClient watcher{path};
    watcher.send(fmt::format("GET {}?watch=1 HTTP/1.1\r\nHost: x\r\n\r\n", services));
    watcher.read_until("\r\n\r\n");
    ASSERT_TRUE(wait_for([this] { return server->connections == 1; }));
  }
  EXPECT_TRUE(wait_for([this] { return server->connections == 0; }));
}

TEST_F(ServerOnASocket, RefusesWhatIsTooLarge) {
  SocketClient client{path};
  client.send(fmt::format("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", services, body_limit + 1));
  const auto answer = client.answer();
  EXPECT_EQ(answer.status, 413U);
  EXPECT_EQ(json::parse(answer.body)["reason"], "RequestEntityTooLarge");
  SocketClient stubborn{path};
  stubborn.send(fmt::format("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", services, body_limit + 1));
  stubborn.send(std::string(body_limit + 1, ' '));
  EXPECT_EQ(stubborn.answer().status, 413U) << "also while it still sends";
  SocketClient other{path};
  EXPECT_EQ(other.get("/healthz", "X: " + std::string(70'000, 'x') + "\r\n").status, 431U);
}

TEST_F(ServerOnASocket, RefusesWhatIsNotHttp) {
  SocketClient client{path};
  client.send("HELO example.org\r\n\r\n");
  EXPECT_EQ(client.answer().status, 400U);
  SocketClient other{path};
  EXPECT_EQ(other.get("/a%zz").status, 400U);
  EXPECT_EQ(other.get("/healthz").status, 200U) << "the connection is still good";
}

TEST_F(ServerOnASocket, InvitesLargeBodiesWhenAsked) {
  SocketClient client{path};
  const auto body = service_object("web").dump();
  client.send(
      fmt::format("POST {} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                  "Expect: 100-continue\r\nContent-Length: {}\r\n\r\n",
                  services, body.size()));
  EXPECT_THAT(client.read_until("\r\n\r\n"), HasSubstr("100 Continue"));
  client.send(body);
  EXPECT_EQ(client.answer().status, 201U);
}

TEST_F(ServerOnASocket, SurvivesClientsThatLeaveInTheMiddle) {
  const auto whole = post_service("web");
  for (std::size_t length = 0; length < whole.size(); length += 7) {
    SocketClient client{path};
    client.send(whole.substr(0, length));
  }
  SocketClient client{path};
  EXPECT_EQ(client.get("/healthz").status, 200U);
}

TEST_F(ServerOnASocket, StreamsListsThatAreLong) {
  SocketClient client{path};
  for (auto i = 0; i < 300; ++i) client.send(post_service(fmt::format("service-{}", i)));
  for (auto i = 0; i < 300; ++i) ASSERT_EQ(client.answer().status, 201U);
  const auto list = client.get(services);
  EXPECT_TRUE(list.has("chunked"));
  EXPECT_EQ(json::parse(list.body)["items"].size(), 300U);
}

TEST_F(ServerOnASocket, DrainsByEndingWatchesAndIdleConnections) {
  SocketClient watcher{path};
  watcher.send(fmt::format("GET {}?watch=1 HTTP/1.1\r\nHost: x\r\n\r\n", services));
  watcher.read_until("\r\n\r\n");
  SocketClient idle{path};
  idle.get("/healthz");
  auto drained = server->drain(std::chrono::seconds{20});
  EXPECT_EQ(drained.wait_for(std::chrono::seconds{10}), std::future_status::ready);
  EXPECT_EQ(watcher.read_to_end(), "0\r\n\r\n") << "the body ends properly";
  EXPECT_EQ(idle.read_to_end(), "");
}

TEST_F(ServerOnASocket, TakesThePlaceOfOneThatWasKilled) {
  const auto stale = (folder / "stale.sock").string();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, stale.c_str(), sizeof address.sun_path - 1);
  const auto dead = socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(bind(dead, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  close(dead);
  const RunningServer second{{.listen = {UnixEndpoint{stale}}}, folder / "second.db"};
  EXPECT_EQ(SocketClient{stale}.get("/healthz").status, 200U);
}

TEST_F(ServerOnASocket, DoesNotTakeThePlaceOfOneThatLives) {
  asio::io_context context;
  EXPECT_THAT([&] { Server(context, {.listen = {UnixEndpoint{path}}}); },
              ::testing::ThrowsMessage<std::runtime_error>(HasSubstr("cannot listen on unix:")));
}

class ServerWithTokens : public ::testing::Test {
 public:
  ServerWithTokens() {
    std::ofstream{folder / "tokens"} << "0123456789abcdef,alice\n";
    tokens.emplace(folder / "tokens");
  }
  TemporaryFolder folder;
  std::optional<Tokens> tokens;
};

const ListenAddress any_port = TcpEndpoint{*net::parse_ip("127.0.0.1"), 0};

TEST_F(ServerWithTokens, AsksForThemOnTcpAndNotOnTheSocket) {
  const auto path = (folder / "api.sock").string();
  const RunningServer server{{.listen = {any_port, UnixEndpoint{path}}, .tokens = &*tokens}, folder / "store.db"};
  SocketClient client{server.port()};
  const auto refused = client.get(services);
  EXPECT_EQ(refused.status, 401U);
  EXPECT_TRUE(refused.has("WWW-Authenticate: Bearer"));
  EXPECT_EQ(json::parse(refused.body)["reason"], "Unauthorized");
  EXPECT_EQ(client.get(services, "Authorization: Bearer 0123456789abcdef\r\n").status, 200U);
  EXPECT_EQ(client.get(services, "Authorization: Bearer wrong\r\n").status, 401U);
  EXPECT_EQ(SocketClient{path}.get(services).status, 200U);
}

TEST_F(ServerWithTokens, RefusesACertificateThatIsNone) {
  std::ofstream{folder / "cert.pem"} << "nonsense";
  asio::io_context context;
  EXPECT_THROW(Server(context, {.listen = {any_port}, .certificate = folder / "cert.pem", .key = folder / "cert.pem"}),
               std::runtime_error);
}

}  // namespace
}  // namespace controller::testing
