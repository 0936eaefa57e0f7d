// SPDX-License-Identifier: Apache-2.0
// Every line that the speaker writes, in one place: what is said, at which level, with which fields. One event is one
// line on standard error, as key=value text or as JSON; colour only on a terminal.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bfd/session.hpp"
#include "bgp/router.hpp"
#include "config/meta.hpp"
#include "speaker/layer2/layer2.hpp"

namespace spdlog {
class logger;
}

namespace speaker {

enum class LogLevel : std::uint8_t { Debug, Info, Warning, Error, None };
enum class LogFormat : std::uint8_t { Text, Json };

class Log {
 public:
  Log(LogLevel level, LogFormat format);
  ~Log();

  using Fields = std::vector<std::pair<std::string_view, std::string>>;
  void debug(std::string_view what, const Fields& fields = {});
  void info(std::string_view what, const Fields& fields = {});
  void warning(std::string_view what, const Fields& fields = {});
  void error(std::string_view what, const Fields& fields = {});

  // What the parts of the speaker report.
  void problem(const config::Problem& problem);
  // `news`: an attempt failed for another reason than those before.
  void moved(const bgp::NeighborMoved& move, std::string_view peer, std::string_view address, bool news);
  void notice(const bgp::NeighborNotice& notice, std::string_view peer);
  void planned(const bgp::PlannedChange& change);
  void bfd(const bfd::StateChanged& change, std::string_view peer, std::string_view address);
  void layer2(const Layer2Event& event);

 private:
  void line(LogLevel level, std::string_view what, const Fields& fields);
  std::shared_ptr<spdlog::logger> logger_;
  LogFormat format_;
};

}  // namespace speaker
