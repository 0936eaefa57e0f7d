// SPDX-License-Identifier: Apache-2.0
// Where an observer learns of objects: by watches of an API, or from the store of the same process.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "config/changes.hpp"
#include "config/source/api_watcher.hpp"
#include "controller/store/store.hpp"

namespace insight {

class Source {
 public:
  using OnChange = std::function<void(config::Changes)>;

  Source() = default;
  virtual ~Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  Source(Source&&) = delete;
  Source& operator=(Source&&) = delete;

  // What is there is told first, as one difference, and never from inside start().
  virtual void start() = 0;
  virtual void stop() = 0;
  // What is known may be out of date, so silence means nothing.
  [[nodiscard]] virtual bool behind() const = 0;
};

[[nodiscard]] std::unique_ptr<Source> follow_api(boost::asio::any_io_executor executor,
                                                 config::ApiWatcher::Options options, Source::OnChange on_change,
                                                 std::function<void(const std::string&)> on_event);
// `objects` must outlive it.
[[nodiscard]] std::unique_ptr<Source> follow_store(boost::asio::any_io_executor executor, controller::Objects& objects,
                                                   std::vector<config::Kind> kinds, Source::OnChange on_change);

}  // namespace insight
