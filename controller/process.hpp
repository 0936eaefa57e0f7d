// SPDX-License-Identifier: Apache-2.0
// The running controller: store, API and sockets on one thread, and what happens from time to time.
#pragma once

#include <memory>

#include "controller/log.hpp"
#include "controller/observer.hpp"
#include "controller/options.hpp"

namespace controller {

class Process {
 public:
  // Throws std::runtime_error when something it needs cannot be had. `observer` may be empty.
  Process(const Options& options, const Log& log, std::string notify_socket, const ObserverFactory& observer);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // Until SIGTERM or SIGINT.
  void run();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace controller
