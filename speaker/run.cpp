// SPDX-License-Identifier: Apache-2.0
#include "speaker/run.hpp"

#include <csignal>
#include <cstring>
#include <iostream>
#include <memory>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "config/source/kubeconfig.hpp"
#include "netlink/cleanup.hpp"
#include "speaker/api_source.hpp"
#include "speaker/control/api.hpp"
#include "speaker/file_source.hpp"
#include "speaker/speaker.hpp"

namespace speaker {
namespace {

constexpr int done = 0;
constexpr int failed = 1;
constexpr int usage = 2;

int clean_up() {
  const auto cleaned = netlink::cleanup({.table = std::nullopt, .ids = {}});
  if (!cleaned) {
    std::cerr << "herald-speaker: " << netlink::print(cleaned.error()) << "\n";
    return failed;
  }
  std::cout << "removed " << cleaned->routes << " routes, " << cleaned->nexthops << " nexthop objects and "
            << cleaned->addresses << " service addresses\n";
  for (const auto& problem : cleaned->problems) std::cerr << "herald-speaker: " << problem << "\n";
  return cleaned->problems.empty() ? done : failed;
}

int print_config(const Options& options) {
  const auto loaded = config::load(options.resources, options.node);
  for (const auto& problem : loaded.problems) std::cerr << config::print(problem) << "\n";
  if (!loaded.readable) return usage;
  std::cout << config::print_config(loaded.resources);
  return loaded.problems.empty() ? done : usage;
}

// Tells the service supervisor, if there is one (sd_notify(3)).
void notify_supervisor(const char* message) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || std::strlen(path) >= sizeof(sockaddr_un::sun_path)) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path);
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const auto socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + std::strlen(path));
  (void)::sendto(socket, message, std::strlen(message), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
                 length);
  ::close(socket);
}

// The running program: everything that lives until the signal to leave.
class Program {
 public:
  Program(const Options& options, Log& log)
      : options_{options},
        log_{log},
        speaker_{io_, options, log},
        control_{io_, [this](const ControlRequest& request) { return answer(speaker_, request); }},
        metrics_{io_, [this](const ControlRequest& request) { return answer_metrics(speaker_, request); }},
        leave_signals_{io_, SIGTERM, SIGINT},
        reload_signal_{io_, SIGHUP},
        drain_signals_{io_, SIGUSR1, SIGUSR2} {}

  int run() {
    for (const auto& [server, option, endpoint] :
         {std::tuple{&control_, "--control", options_.control}, std::tuple{&metrics_, "--metrics", options_.metrics}}) {
      if (endpoint.empty()) continue;
      if (const auto listening = server->listen(endpoint); !listening) {
        log_.error("cannot start", {{"reason", std::string{option} + ": " + listening.error()}});
        return usage;
      }
    }
    if (!start_source()) return usage;
    leave_signals_.async_wait([this](const boost::system::error_code& error, int signal) {
      using Leaving = bgp::Router::Leaving;
      if (!error) leave(signal == SIGTERM ? Leaving::ToRestart : Leaving::ForGood);
    });
    follow_reload_signal();
    follow_drain_signals();
    log_.info("ready", {{"node", options_.node},
                        {"control", options_.control.empty() ? "none" : options_.control},
                        {"metrics", options_.metrics.empty() ? "none" : options_.metrics}});
    notify_supervisor("READY=1");
    io_.run();
    return done;
  }

 private:
  // False: what to follow cannot be made out, and nothing has been said to the network yet.
  bool start_source() { return options_.api.empty() && !options_.kubernetes ? start_files() : start_api(); }

  net::Result<config::ApiEndpoint, std::string> endpoint_of_api() const {
    if (options_.kubernetes) {
      auto access = config::kubernetes_access(options_.kubeconfig, options_.context, config::process_environment);
      if (!access) return net::fail("--kubernetes: " + access.error());
      return std::move(access->endpoint);
    }
    auto endpoint = config::parse_api_endpoint(options_.api);
    if (!endpoint) return net::fail("--api: " + endpoint.error());
    endpoint->token_file = options_.token_file;
    endpoint->ca_file = options_.ca_file;
    return *std::move(endpoint);
  }

  bool start_api() {
    const auto endpoint = endpoint_of_api();
    if (!endpoint) {
      log_.error("cannot start", {{"reason", endpoint.error()}});
      return false;
    }
    ApiSource::Listener listener;
    listener.listed = [this, began = net::Clock::now()](std::size_t objects) {
      const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(net::Clock::now() - began);
      log_.info("resources listed", {{"objects", std::to_string(objects)}, {"ms", std::to_string(took.count())}});
    };
    listener.replaced = [this](const config::Loaded& loaded) {
      speaker_.replace(loaded);
      if (!std::exchange(has_resources_, true)) log_.info("resources in force");
    };
    listener.changed = [this](const config::Loaded& loaded, std::span<const Change> changes) {
      speaker_.change(loaded, changes);
    };
    listener.reached = [this](Liveness::Api api) { speaker_.set_api(api); };
    listener.log = [this](const std::string& what) { log_.warning("API", {{"what", what}}); };
    api_.emplace(io_, *endpoint, options_, std::move(listener), [this] { return speaker_.own_state(); });
    speaker_.on_state_changed([this] { api_->beat(); });
    api_->start();
    return true;
  }

  bool start_files() {
    files_.emplace(
        io_, options_.resources, options_.node,
        [this](const config::Loaded& loaded) {
          if (std::exchange(has_resources_, true)) log_.info("resources read again");
          speaker_.replace(loaded);
        },
        [this](const std::vector<config::Problem>& problems) {
          for (const auto& problem : problems) log_.problem(problem);
          if (!has_resources_) return;
          log_.warning("resources not read", {{"effect", "those of before stay in force"}});
          speaker_.keep(problems);
        });
    files_->load();
    return has_resources_;
  }

  void follow_reload_signal() {
    reload_signal_.async_wait([this](const boost::system::error_code& error, int) {
      if (error) return;
      if (files_) files_->load();
      follow_reload_signal();
    });
  }

  void follow_drain_signals() {
    drain_signals_.async_wait([this](const boost::system::error_code& error, int signal) {
      if (error) return;
      speaker_.drain(signal == SIGUSR1 ? Speaker::Drain::On : Speaker::Drain::Off);
      follow_drain_signals();
    });
  }

  // Whoever stops a program mostly starts it again (SIGTERM); a person at the terminal means it (SIGINT).
  void leave(bgp::Router::Leaving leaving) {
    log_.info("leaving");
    notify_supervisor("STOPPING=1");
    const auto stop = [this, leaving] { speaker_.leave("", leaving, [this] { io_.stop(); }); };
    if (api_) {
      api_->leave(stop);
    } else {
      stop();
    }
  }

  Options options_;
  Log& log_;
  boost::asio::io_context io_{1};
  Speaker speaker_;
  ControlServer control_;
  ControlServer metrics_;
  std::optional<FileSource> files_;
  std::optional<ApiSource> api_;
  bool has_resources_ = false;
  boost::asio::signal_set leave_signals_;
  boost::asio::signal_set reload_signal_;
  boost::asio::signal_set drain_signals_;
};

}  // namespace

int run(int argc, const char* const* argv) {
  const auto parsed = parse_options(argc, argv);
  if (const auto* code = std::get_if<int>(&parsed)) return *code;
  const auto& options = std::get<Options>(parsed);
  if (options.cleanup) return clean_up();
  if (options.check) return config::check(options.resources, options.node, std::cout);
  if (options.print_config) return print_config(options);
  std::signal(SIGPIPE, SIG_IGN);
  Log log{options.log_level, options.log_format};
  try {
    return Program{options, log}.run();
  } catch (const std::exception& error) {
    log.error("cannot go on", {{"reason", error.what()}});
    return failed;
  }
}

}  // namespace speaker
