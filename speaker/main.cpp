// SPDX-License-Identifier: Apache-2.0
#include "speaker/run.hpp"

int main(int argc, char** argv) {
  return speaker::run(argc, argv);
}
