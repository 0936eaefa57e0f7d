// SPDX-License-Identifier: Apache-2.0
#include "config/source/http_connection.hpp"

#include <optional>
#include <string>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "tests/config/folder.hpp"

namespace config {
namespace {

namespace asio = boost::asio;
using asio::local::stream_protocol;
using std::chrono::seconds;

// Answers one request with the head of a response and one chunk of its body, and then says no more.
asio::awaitable<void> say_one_piece(stream_protocol::acceptor& acceptor,
                                    std::optional<stream_protocol::socket>& socket) {
  socket = co_await acceptor.async_accept(asio::use_awaitable);
  std::string request;
  co_await asio::async_read_until(*socket, asio::dynamic_buffer(request), "\r\n\r\n", asio::use_awaitable);
  const std::string answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nevent\r\n";
  co_await asio::async_write(*socket, asio::buffer(answer), asio::use_awaitable);
}

asio::awaitable<void> hear_one_piece(HttpConnection& connection, std::string& heard) {
  HttpRequest request{"GET", "/watch", {}, {}};  // gcc 12 destroys temporaries of an awaited expression twice
  const auto status = co_await connection.open(std::move(request), seconds{5});
  if (!status || *status != 200) co_return;
  auto piece = co_await connection.read_some(seconds{5});
  heard = piece ? *piece : piece.error();
}

// A watch is silent for minutes after an event.
TEST(HttpConnection, HandsAPieceOnBeforeTheNextOneComes) {
  const Folder folder;
  const auto path = folder.path("api.sock");
  asio::io_context context;
  stream_protocol::acceptor acceptor{context, stream_protocol::endpoint{path}};
  std::optional<stream_protocol::socket> socket;
  ApiEndpoint endpoint;
  endpoint.transport = ApiEndpoint::Transport::Unix;
  endpoint.host = path;
  const auto connection = HttpConnection::make(context.get_executor(), endpoint);
  std::string heard;
  asio::co_spawn(context, say_one_piece(acceptor, socket), asio::detached);
  asio::co_spawn(context, hear_one_piece(*connection, heard), asio::detached);
  while (heard.empty() && context.run_one_for(seconds{10}) > 0) {
  }
  EXPECT_EQ(heard, "event");
}

TEST(WarningText, IsWhatStandsBetweenTheQuotes) {
  EXPECT_EQ(warning_text(R"(299 - "spec.import: names BGPFilter/later")"), "spec.import: names BGPFilter/later");
  EXPECT_EQ(warning_text(R"(299 - "a \"b\" \\ c")"), R"(a "b" \ c)");
  EXPECT_EQ(warning_text(R"(299 herald.example:7472 "x" "Wed, 25 Nov 2026 17:00:00 GMT")"), "x");
  EXPECT_EQ(warning_text(R"(299 - "")"), "");
}

TEST(WarningText, IsNothingWhereTheHeaderIsNot) {
  for (const auto* header : {"", "299", "299 -", "299 - text", "29 - \"x\"", "\"x\"", "299 \"x\""})
    EXPECT_FALSE(warning_text(header)) << header;
}

TEST(WarningText, EndsWithTheHeaderWhereItIsCut) {
  EXPECT_EQ(warning_text("299 - \"cut"), "cut");
  EXPECT_EQ(warning_text("299 - \"cut\\"), "cut\\");
}

}  // namespace
}  // namespace config
