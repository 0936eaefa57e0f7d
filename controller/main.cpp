// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <iostream>

#include "controller/run.hpp"
#include "insight/status_observer.hpp"

int main(int argc, char** argv) {
  const auto* socket = std::getenv("NOTIFY_SOCKET");
  return controller::run({argv + 1, argv + argc}, {.out = std::cout,
                                                   .err = std::cerr,
                                                   .notify_socket = socket == nullptr ? "" : socket,
                                                   .observer = insight::status_observer()});
}
