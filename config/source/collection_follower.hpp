// SPDX-License-Identifier: Apache-2.0
// Follows one collection of an API: lists it in pages, watches it, resumes where the stream broke, and lists again
// when the server has forgotten. All that talking to an API needs is here, once: back-off with chance, silence that
// means a dead connection, bookmarks, collections that the server does not have. What objects are is the sink's
// business, which sees lists and events as text.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "config/source/api_endpoint.hpp"
#include "config/source/http_connection.hpp"
#include "config/source/line_splitter.hpp"
#include "net/result.hpp"

namespace config {

class CollectionSink {
 public:
  struct Page {
    std::string next;  // the continue token; empty: this was the last page
    std::string version;
  };
  struct Event {
    enum class Type : std::uint8_t { Changed, Bookmark, Forgotten, Error };
    Type type = Type::Changed;
    std::string version;  // where the collection stands after it; empty: not said
    std::string message;  // of an error
  };
  virtual ~CollectionSink() = default;
  CollectionSink() = default;
  CollectionSink(const CollectionSink&) = delete;
  CollectionSink& operator=(const CollectionSink&) = delete;
  CollectionSink(CollectionSink&&) = delete;
  CollectionSink& operator=(CollectionSink&&) = delete;

  // A list: begin, its pages, end. One that was begun and not ended means nothing. Errors: what is wrong with a text.
  virtual void begin_list() = 0;
  virtual net::Result<Page, std::string> take_page(std::string_view body) = 0;
  virtual void end_list() = 0;
  // Events of one piece of the stream, then their end.
  virtual net::Result<Event, std::string> take_event(std::string_view line) = 0;
  virtual void end_events() = 0;
  [[nodiscard]] virtual bool empty() const = 0;  // no object is known
};

class CollectionFollower {
 public:
  // A collection that a server need not have reads as empty while it is not there (404; 403 when its group
  // is not there), or when it may not be seen (403 several times in a row).
  enum class Presence : std::uint8_t { Required, Optional };
  struct Options {
    ApiEndpoint endpoint;
    std::string title;               // for messages: "services"
    std::vector<std::string> paths;  // the same collection in versions, the preferred one first
    std::string query;               // besides: "fieldSelector=…"; or empty
    Presence presence = Presence::Required;
    std::string ready_path;  // asked until it says 200 before the first list; empty: not asked
    std::chrono::milliseconds request_timeout{10'000};
    std::chrono::milliseconds silence{90'000};
    std::chrono::milliseconds first_retry{100};
    std::chrono::milliseconds last_retry{5'000};
    std::chrono::milliseconds absent_retry{60'000};  // how often at last an absent collection is looked for
    int page_size = 500;
  };
  using Tell = std::function<void(const std::string& what)>;

  CollectionFollower(boost::asio::any_io_executor executor, Options options, CollectionSink& sink, Tell tell);

  void start();
  void stop();
  // Lists again as soon as possible.
  void refresh();

  [[nodiscard]] bool listed() const { return listed_; }
  [[nodiscard]] bool running() const { return running_; }
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> stale_since() const { return stale_since_; }
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] std::uint64_t relists() const { return relists_; }
  [[nodiscard]] std::uint64_t failures() const { return failures_; }

 private:
  using Milliseconds = std::chrono::milliseconds;
  using Clock = std::chrono::steady_clock;
  enum class Outcome : std::uint8_t { Ended, Forgotten, Failed, Absent };

  boost::asio::awaitable<void> follow();
  boost::asio::awaitable<void> pause(Milliseconds longest);
  boost::asio::awaitable<void> wait_until_ready();
  boost::asio::awaitable<Outcome> list();
  boost::asio::awaitable<std::optional<Outcome>> list_from(std::string path);
  boost::asio::awaitable<bool> is_hidden(std::string path);
  boost::asio::awaitable<Outcome> watch();
  std::optional<Outcome> take_events(LineSplitter& lines);
  Outcome fail(std::string why);
  void well();

  boost::asio::any_io_executor executor_;
  Options options_;
  CollectionSink& sink_;
  Tell tell_;
  std::unique_ptr<HttpConnection> connection_;
  boost::asio::steady_timer timer_;
  std::minstd_rand random_;
  std::size_t path_ = 0;  // of the paths, the one in use
  std::string version_;   // where the watch goes on
  bool listed_ = false;
  bool heard_ = false;  // the present watch said something
  bool refresh_ = false;
  bool stopped_ = false;
  bool running_ = false;
  bool absence_told_ = false;
  int refusals_ = 0;  // in a row
  std::optional<Clock::time_point> stale_since_;
  std::string error_;
  std::uint64_t relists_ = 0;
  std::uint64_t failures_ = 0;
};

}  // namespace config
