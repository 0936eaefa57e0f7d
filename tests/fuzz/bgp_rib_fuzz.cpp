// SPDX-License-Identifier: Apache-2.0
// Events of a router chosen by the input, compared with the plain model.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "tests/bgp/rib/scenario.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  bgp::Scenario scenario{{data, size}};
  const auto wrong = scenario.run_all();
  for (const auto& each : wrong) std::fprintf(stderr, "%s\n", each.c_str());
  if (!wrong.empty()) std::abort();
  return 0;
}
