// SPDX-License-Identifier: Apache-2.0
#include "ctl/run.hpp"

int main(int argc, char** argv) {
  return ctl::run(argc, argv);
}
