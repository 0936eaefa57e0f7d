// SPDX-License-Identifier: Apache-2.0
// herald-controller as a function: parts are made, connected and run until a signal ends them. Everything that
// it has of the process comes in by the environment.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "controller/observer.hpp"

namespace controller {

struct Environment {
  std::ostream& out;
  std::ostream& err;
  std::string notify_socket;  // NOTIFY_SOCKET of sd_notify(3); empty: nobody asked
  ObserverFactory observer;   // of what becomes of the objects; empty: nobody looks
};

// The exit code: 0 done, 1 failed at run time, 2 usage or configuration.
[[nodiscard]] int run(const std::vector<std::string>& arguments, const Environment& environment);

}  // namespace controller
