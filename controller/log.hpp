// SPDX-License-Identifier: Apache-2.0
// Structured lines on standard error: event=ready listen=127.0.0.1:7472, or the same as JSON. The one place
// that knows spdlog.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace spdlog {
class logger;
}

namespace controller {

class Log {
 public:
  enum class Level : std::uint8_t { Debug, Info, Warning, Error };
  enum class Format : std::uint8_t { Text, Json };
  using Fields = std::initializer_list<std::pair<std::string_view, std::string>>;

  Log(Level level, Format format);

  void debug(std::string_view event, Fields fields = {}) const { write(Level::Debug, event, fields); }
  void info(std::string_view event, Fields fields = {}) const { write(Level::Info, event, fields); }
  void warning(std::string_view event, Fields fields = {}) const { write(Level::Warning, event, fields); }
  void error(std::string_view event, Fields fields = {}) const { write(Level::Error, event, fields); }

 private:
  void write(Level level, std::string_view event, Fields fields) const;

  std::shared_ptr<spdlog::logger> logger_;
  Format format_;
};

[[nodiscard]] std::optional<Log::Level> parse_log_level(std::string_view text);

}  // namespace controller
