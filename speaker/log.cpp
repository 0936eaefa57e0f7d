// SPDX-License-Identifier: Apache-2.0
#include "speaker/log.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/logger.h>
#include <spdlog/sinks/ansicolor_sink.h>

#include "net/match.hpp"
#include "speaker/control/views.hpp"

namespace speaker {
namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::Debug:
      return spdlog::level::debug;
    case LogLevel::Info:
      return spdlog::level::info;
    case LogLevel::Warning:
      return spdlog::level::warn;
    case LogLevel::Error:
      return spdlog::level::err;
    case LogLevel::None:
      break;
  }
  return spdlog::level::off;
}

// Quoted when it holds anything that would make the line ambiguous.
std::string escaped(std::string_view value) {
  if (!value.empty() && value.find_first_of(" =\"\n\t") == std::string_view::npos) return std::string{value};
  return nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string_view print(bgp::Notice notice) {
  switch (notice) {
    case bgp::Notice::PrefixLimitWarning:
      return "prefix limit nearly reached";
    case bgp::Notice::PrefixLimitReached:
      return "prefix limit reached";
    case bgp::Notice::MalformedUpdate:
      return "malformed UPDATE handled without a reset";
    case bgp::Notice::NoNextHop:
      return "family cannot be announced: no address of it on the link";
    case bgp::Notice::RoutesKept:
      return "routes kept while the peer restarts";
    case bgp::Notice::RoutesFaded:
      return "the peer stays away: its routes are a last resort";
    case bgp::Notice::StaleDropped:
      return "stale routes dropped";
    case bgp::Notice::RangeFull:
      break;
  }
  return "too many neighbors of a range";
}

}  // namespace

Log::Log(LogLevel level, LogFormat format) : format_{format} {
  logger_ = std::make_shared<spdlog::logger>("speaker", std::make_shared<spdlog::sinks::ansicolor_stderr_sink_st>());
  logger_->set_level(spdlog_level(level));
  logger_->flush_on(spdlog::level::debug);
  logger_->set_pattern(format == LogFormat::Text ? "%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v"
                                                 : R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l",%v})");
}

Log::~Log() = default;

void Log::line(LogLevel level, std::string_view what, const Fields& fields) {
  const auto at = spdlog_level(level);
  if (!logger_->should_log(at)) return;
  std::string text;
  if (format_ == LogFormat::Text) {
    text = what;
    for (const auto& [key, value] : fields) text.append(" ").append(key).append("=").append(escaped(value));
  } else {
    nlohmann::ordered_json object{{"msg", what}};
    for (const auto& [key, value] : fields) object[std::string{key}] = value;
    text = object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    text = text.substr(1, text.size() - 2);  // the pattern has the braces
  }
  logger_->log(at, spdlog::string_view_t{text.data(), text.size()});
}

void Log::debug(std::string_view what, const Fields& fields) {
  line(LogLevel::Debug, what, fields);
}
void Log::info(std::string_view what, const Fields& fields) {
  line(LogLevel::Info, what, fields);
}
void Log::warning(std::string_view what, const Fields& fields) {
  line(LogLevel::Warning, what, fields);
}
void Log::error(std::string_view what, const Fields& fields) {
  line(LogLevel::Error, what, fields);
}

void Log::problem(const config::Problem& problem) {
  warning("resource refused", {{"problem", config::print(problem)}});
}

void Log::moved(const bgp::NeighborMoved& move, std::string_view peer, std::string_view address, bool news) {
  Fields fields{{"peer", std::string{peer}},
                {"address", std::string{address}},
                {"from", std::string{print(move.from)}},
                {"to", std::string{print(move.to)}}};
  if (move.reason) {
    fields.emplace_back("reason", move.reason->text);
    if (move.reason->notification) fields.emplace_back("notification", bgp::describe(*move.reason->notification));
  }
  const auto up_or_down = move.from == bgp::State::Established || move.to == bgp::State::Established;
  if (move.from == bgp::State::Established) {
    warning("session down", fields);
  } else if (up_or_down) {
    info("session up", fields);
  } else if (news) {
    warning("session does not come up", fields);
  } else {
    debug("session moved", fields);
  }
}

void Log::notice(const bgp::NeighborNotice& notice, std::string_view peer) {
  warning(print(notice.notice), {{"peer", std::string{peer}}, {"detail", notice.text}});
}

void Log::planned(const bgp::PlannedChange& change) {
  using Kind = bgp::PlannedChange::Kind;
  const auto kind = change.kind == Kind::Added     ? "added"
                    : change.kind == Kind::Removed ? "removed"
                    : change.kind == Kind::Live    ? "applied live"
                    : change.kind == Kind::Close   ? "session closed"
                                                   : "session opened again";
  if (change.why.empty()) return info("neighbor changed", {{"peer", change.neighbor}, {"effect", kind}});
  info("neighbor changed", {{"peer", change.neighbor}, {"effect", kind}, {"why", change.why}});
}

void Log::bfd(const bfd::StateChanged& change, std::string_view peer, std::string_view address) {
  const Fields fields{{"peer", std::string{peer}},
                      {"address", std::string{address}},
                      {"from", std::string{bfd::print(change.from)}},
                      {"to", std::string{bfd::print(change.to)}},
                      {"diagnostic", std::string{bfd::print(change.diagnostic)}},
                      {"remoteState", std::string{bfd::print(change.remote_state)}},
                      {"remoteDiagnostic", std::string{bfd::print(change.remote_diagnostic)}}};
  if (change.from == bfd::State::Up) {
    warning("BFD down", fields);
  } else if (change.to == bfd::State::Up) {
    info("BFD up", fields);
  } else {
    debug("BFD moved", fields);
  }
}

void Log::layer2(const Layer2Event& event) {
  std::visit(net::match{[&](const ForeignClaim& claim) {
                          warning("another host claims an address of ours", {{"address", net::print(claim.address)},
                                                                             {"mac", net::print(claim.mac)},
                                                                             {"interface", claim.interface}});
                        },
                        [&](const Layer2Trouble& trouble) {
                          warning("layer 2 is limited", {{"interface", trouble.interface}, {"what", trouble.what}});
                        }},
             event);
}

}  // namespace speaker
