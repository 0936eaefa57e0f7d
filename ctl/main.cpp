// SPDX-License-Identifier: Apache-2.0
#include "ctl/run.hpp"
#include "insight/planner.hpp"

int main(int argc, char** argv) {
  return ctl::run(argc, argv, {.plan = insight::plan, .migrate = insight::migrate});
}
