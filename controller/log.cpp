// SPDX-License-Identifier: Apache-2.0
#include "controller/log.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace controller {
namespace {

using nlohmann::json;

spdlog::level::level_enum to_spdlog(Log::Level level) {
  switch (level) {
    case Log::Level::Debug:
      return spdlog::level::debug;
    case Log::Level::Info:
      return spdlog::level::info;
    case Log::Level::Warning:
      return spdlog::level::warn;
    case Log::Level::Error:
      break;
  }
  return spdlog::level::err;
}

std::string json_quoted(std::string_view text) {
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

// As it is where that is unambiguous, as a JSON string where not.
std::string value(std::string_view text) {
  const auto plain = !text.empty() && std::ranges::all_of(text, [](char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != '=' && c != '\\';
  });
  return plain ? std::string{text} : json_quoted(text);
}

}  // namespace

Log::Log(Level level, Format format)
    : logger_{std::make_shared<spdlog::logger>("herald", std::make_shared<spdlog::sinks::stderr_sink_mt>())},
      format_{format} {
  logger_->set_level(to_spdlog(level));
  logger_->flush_on(spdlog::level::debug);
  const auto* time = "%Y-%m-%dT%H:%M:%S.%eZ";
  logger_->set_pattern(format == Format::Json ? fmt::format(R"({{"time":"{}","level":"%l",%v}})", time)
                                              : fmt::format("time={} level=%l %v", time),
                       spdlog::pattern_time_type::utc);
}

void Log::write(Level level, std::string_view event, Fields fields) const {
  if (!logger_->should_log(to_spdlog(level))) return;
  const auto as_json = format_ == Format::Json;
  auto line = as_json ? fmt::format(R"("event":{})", json_quoted(event)) : fmt::format("event={}", value(event));
  for (const auto& [name, text] : fields) {
    line += as_json ? fmt::format(",{}:{}", json_quoted(name), json_quoted(text))
                    : fmt::format(" {}={}", name, value(text));
  }
  logger_->log(to_spdlog(level), "{}", line);
}

std::optional<Log::Level> parse_log_level(std::string_view text) {
  if (text == "debug") return Log::Level::Debug;
  if (text == "info") return Log::Level::Info;
  if (text == "warning" || text == "warn") return Log::Level::Warning;
  if (text == "error") return Log::Level::Error;
  return std::nullopt;
}

}  // namespace controller
