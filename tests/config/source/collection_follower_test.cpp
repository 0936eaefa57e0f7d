// SPDX-License-Identifier: Apache-2.0
// Following a collection, against a server on loopback that answers by a script.
#include "config/source/collection_follower.hpp"

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>

#include "config/document.hpp"

namespace config {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using testing::ElementsAre;
using testing::HasSubstr;

// What the server says to the next request whose target has `asked` in it. Requests that meet no line of the script
// are noted and answered with 500.
struct Line {
  std::string asked;
  int status = 200;
  std::string body;
  enum class After { Close, Hang } after = After::Close;  // Hang: the body never ends, and nothing more comes
};

class Script {
 public:
  explicit Script(std::deque<Line> lines) : lines_{std::move(lines)} {
    thread_ = std::thread{[this] { serve(); }};
  }
  ~Script() {
    stop_ = true;
    // Wakes the accept.
    asio::io_context io;
    tcp::socket knock{io};
    boost::system::error_code ignored;
    knock.connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
  }
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;

  [[nodiscard]] ApiEndpoint endpoint() const {
    auto found = parse_api_endpoint("http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()));
    return *found;
  }
  [[nodiscard]] bool done() const { return lines_left_ == 0; }
  // Read when the test is over.
  std::vector<std::string> targets;

 private:
  void serve() {
    lines_left_ = lines_.size();
    while (!stop_) {
      auto socket = std::make_unique<tcp::socket>(io_);
      boost::system::error_code error;
      acceptor_.accept(*socket, error);
      if (error || stop_) return;
      std::string text;
      asio::read_until(*socket, asio::dynamic_buffer(text), "\r\n\r\n", error);
      if (error) continue;
      const auto target = text.substr(4, text.find(' ', 4) - 4);
      targets.push_back(target);
      Line line{"", 500, "{}"};
      if (!lines_.empty() && target.find(lines_.front().asked) != std::string::npos) {
        line = lines_.front();
        lines_.pop_front();
        lines_left_ = lines_.size();
      }
      const auto length = line.body.size() + (line.after == Line::After::Hang ? 1000 : 0);
      asio::write(
          *socket,
          asio::buffer("HTTP/1.1 " + std::to_string(line.status) +
                       " x\r\nConnection: close\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n" + line.body),
          error);
      if (line.after == Line::After::Hang) held_.push_back(std::move(socket));
    }
  }

  asio::io_context io_;
  tcp::acceptor acceptor_{io_, tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
  std::deque<Line> lines_;
  std::atomic<std::size_t> lines_left_{1};
  std::atomic<bool> stop_{false};
  std::vector<std::unique_ptr<tcp::socket>> held_;
  std::thread thread_;
};

// Lists as "[a b]", events as "+a", in the order they come.
class Notes final : public CollectionSink {
 public:
  std::vector<std::string> notes;
  std::size_t known = 0;

  void begin_list() override { list_.clear(); }
  net::Result<Page, std::string> take_page(std::string_view body) override {
    const auto page = read_json(body, {});
    if (page.values.empty()) return net::fail(std::string{"not JSON"});
    list_ += (list_.empty() ? "" : " ") + page.values[0].find("name")->value.text;
    const auto* next = page.values[0].find("next");
    return Page{next == nullptr ? "" : next->value.text, page.values[0].find("version")->value.text};
  }
  void end_list() override {
    notes.push_back("[" + list_ + "]");
    known += list_.empty() ? 0 : 1;
  }
  net::Result<Event, std::string> take_event(std::string_view line) override {
    const auto event = read_json(line, {});
    if (event.values.empty()) return net::fail(std::string{"not JSON"});
    const auto& name = event.values[0].find("name")->value.text;
    if (name == "410") return Event{Event::Type::Forgotten, {}, {}};
    if (name == "error") return Event{Event::Type::Error, {}, "broken"};
    notes.push_back("+" + name);
    return Event{Event::Type::Changed, event.values[0].find("version")->value.text, {}};
  }
  void end_events() override {}
  [[nodiscard]] bool empty() const override { return known == 0; }

 private:
  std::string list_;
};

class Following : public testing::Test {
 protected:
  // Runs until the script has been told, and a little longer.
  void follow(std::deque<Line> lines, CollectionFollower::Presence presence = CollectionFollower::Presence::Required,
              std::vector<std::string> paths = {"/v1/things"}, std::string ready = {}) {
    Script script{std::move(lines)};
    CollectionFollower::Options options;
    options.endpoint = script.endpoint();
    options.title = "things";
    options.paths = std::move(paths);
    options.presence = presence;
    options.ready_path = std::move(ready);
    options.silence = std::chrono::milliseconds{200};
    options.first_retry = std::chrono::milliseconds{1};
    options.last_retry = std::chrono::milliseconds{4};
    options.absent_retry = std::chrono::milliseconds{4};
    asio::io_context io;
    CollectionFollower follower{io.get_executor(), options, sink,
                                [this](const std::string& what) { said.push_back(what); }};
    follower.start();
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (!(script.done() && settled(follower)) && std::chrono::steady_clock::now() < deadline)
      io.run_one_for(std::chrono::milliseconds{20});
    EXPECT_TRUE(script.done()) << "the follower did not ask for all that it should have";
    stale = follower.stale_since().has_value();
    relists = follower.relists();
    follower.stop();
    io.run_for(std::chrono::seconds{10});
    EXPECT_FALSE(follower.running());
    targets = script.targets;
  }
  std::function<bool(const CollectionFollower&)> settled = [](const CollectionFollower&) { return true; };
  Notes sink;
  std::vector<std::string> said;
  std::vector<std::string> targets;
  bool stale = false;
  std::uint64_t relists = 0;
};

constexpr auto hang = Line::After::Hang;
const std::string one = R"({"name":"a","version":"5"})";

TEST_F(Following, ListsInPagesThenWatchesFromThere) {
  settled = [&](const auto&) { return sink.notes.size() == 2; };
  follow({{"limit=500", 200, R"({"name":"a","version":"4","next":"x y"})"},
          {"continue=x%20y", 200, R"({"name":"b","version":"5"})"},
          {"resourceVersion=5", 200, "{\"name\":\"c\",\"version\":\"7\"}\n", hang}});
  EXPECT_THAT(sink.notes, ElementsAre("[a b]", "+c"));
  EXPECT_FALSE(stale);
  EXPECT_THAT(targets[2], HasSubstr("allowWatchBookmarks=true"));
}

TEST_F(Following, ResumesWhereTheStreamBroke) {
  settled = [&](const auto&) { return sink.notes.size() == 3; };
  follow({{"limit", 200, one},
          {"resourceVersion=5", 200, "{\"name\":\"b\",\"version\":\"6\"}\n"},
          {"resourceVersion=6", 200, "{\"name\":\"c\",\"version\":\"7\"}\n", hang}});
  EXPECT_THAT(sink.notes, ElementsAre("[a]", "+b", "+c"));
  EXPECT_EQ(relists, 0U);
}

TEST_F(Following, TakesSilenceForADeadConnection) {
  settled = [&](const auto&) { return sink.notes.size() == 3; };
  follow({{"limit", 200, one},
          {"resourceVersion=5", 200, "{\"name\":\"b\",\"version\":\"6\"}\n", hang},
          {"resourceVersion=6", 200, "{\"name\":\"c\",\"version\":\"7\"}\n", hang}});
  EXPECT_THAT(sink.notes, ElementsAre("[a]", "+b", "+c"));
  EXPECT_THAT(said, testing::Contains(HasSubstr("timed out")));
}

TEST_F(Following, ListsAgainWhenTheServerHasForgotten) {
  settled = [&](const auto&) { return sink.notes.size() == 4; };
  follow({{"limit", 200, one},
          {"watch", 410, "{}"},
          {"limit", 200, one},
          {"watch", 200, "{\"name\":\"410\"}\n", hang},
          {"limit", 200, one},
          {"watch", 200, "{\"name\":\"c\",\"version\":\"7\"}\n", hang}});
  EXPECT_THAT(sink.notes, ElementsAre("[a]", "[a]", "[a]", "+c"));
  EXPECT_EQ(relists, 2U);
}

TEST_F(Following, BeginsAListAnewThatChangedTooMuchBetweenPages) {
  settled = [&](const auto&) { return sink.notes.size() == 2; };
  follow({{"limit", 200, R"({"name":"a","version":"4","next":"x"})"},
          {"continue=x", 410, "{}"},
          {"limit", 200, one},
          {"watch", 200, "{\"name\":\"c\",\"version\":\"7\"}\n", hang}});
  EXPECT_THAT(sink.notes, ElementsAre("[a]", "+c"));
}

TEST_F(Following, FindsTheVersionThatTheServerHas) {
  settled = [&](const auto&) { return sink.notes.size() == 2; };
  follow({{"/v1/things?limit", 404, "{}"},
          {"/v1beta1/things?limit", 200, one},
          {"/v1beta1/things?watch", 404, "{}"},
          {"/v1beta1/things?limit", 404, "{}"},
          {"/v1/things?limit", 200, one},
          {"/v1/things?watch", 200, "", hang}},
         CollectionFollower::Presence::Required, {"/v1/things", "/v1beta1/things"});
  EXPECT_THAT(sink.notes, ElementsAre("[a]", "[a]"));
}

TEST_F(Following, TakesWhatNeedNotBeThereAsEmptyAndLooksAgain) {
  settled = [&](const auto&) { return sink.notes.size() == 3; };
  follow({{"limit", 404, "{}"}, {"limit", 200, one}, {"watch", 200, "{\"name\":\"c\",\"version\":\"7\"}\n", hang}},
         CollectionFollower::Presence::Optional);
  EXPECT_THAT(sink.notes, ElementsAre("[]", "[a]", "+c"));
}

// A server that has just started refuses everybody for a moment.
TEST_F(Following, TakesARefusalForAbsenceOnlyWhenItIsRepeated) {
  settled = [&](const auto&) { return sink.notes.size() == 1; };
  const Line refused{"limit", 403, "{}"};
  follow({refused, refused, refused, refused, refused, {"limit", 200, one}, {"watch", 200, "", hang}},
         CollectionFollower::Presence::Optional);
  EXPECT_THAT(sink.notes, ElementsAre("[a]"));

  sink.notes.clear();
  sink.known = 0;
  follow({refused, refused, refused, refused, refused, refused}, CollectionFollower::Presence::Optional);
  EXPECT_THAT(sink.notes, ElementsAre("[]"));
}

// Who might not read it if it were there is told 403; the group itself is no secret.
TEST_F(Following, TakesARefusalForAbsenceAtOnceWhereTheGroupIsNotServed) {
  settled = [&](const auto&) { return sink.notes.size() == 1; };
  follow({{"/apis/things.io/v1/things?limit", 403, "{}"}, {"/apis/things.io", 404, "{}"}},
         CollectionFollower::Presence::Optional, {"/apis/things.io/v1/things"});
  EXPECT_THAT(sink.notes, ElementsAre("[]"));
  EXPECT_THAT(said, ElementsAre("things: not served; looked for again later"));
}

TEST_F(Following, AsksAgainWhereTheGroupIsServed) {
  settled = [&](const auto&) { return sink.notes.size() == 1; };
  follow({{"/apis/things.io/v1/things?limit", 403, "{}"},
          {"/apis/things.io", 200, "{}"},
          {"/apis/things.io/v1/things?limit", 200, one},
          {"watch", 200, "", hang}},
         CollectionFollower::Presence::Optional, {"/apis/things.io/v1/things"});
  EXPECT_THAT(sink.notes, ElementsAre("[a]"));
}

TEST_F(Following, KeepsWhatIsKnownWhenItsKindVanishes) {
  settled = [&](const auto& follower) { return follower.error().find("kept") != std::string::npos; };
  follow({{"limit", 200, one}, {"watch", 404, "{}"}, {"limit", 404, "{}"}}, CollectionFollower::Presence::Optional);
  EXPECT_THAT(sink.notes, ElementsAre("[a]"));
  EXPECT_TRUE(stale);
}

TEST_F(Following, WaitsForAServerThatIsNotReady) {
  settled = [&](const auto&) { return sink.notes.size() == 2; };
  follow({{"/readyz", 500, ""},
          {"/readyz", 200, "ok"},
          {"limit", 200, one},
          {"watch", 200, "{\"name\":\"c\",\"version\":\"7\"}\n", hang}},
         CollectionFollower::Presence::Optional, {"/v1/things"}, "/readyz");
  EXPECT_THAT(sink.notes, ElementsAre("[a]", "+c"));
}

TEST_F(Following, SaysATroubleOnceAndThatItIsOver) {
  settled = [&](const auto&) { return sink.notes.size() == 1 && said.size() == 2; };
  follow({{"limit", 503, "{}"},
          {"limit", 503, "{}"},
          {"limit", 503, "{}"},
          {"limit", 200, one},
          {"watch", 200, "", hang}});
  EXPECT_THAT(said, ElementsAre(HasSubstr("503"), HasSubstr("followed again")));
}

}  // namespace
}  // namespace config
