// SPDX-License-Identifier: Apache-2.0
// What a fuzz target holds true of every input.
#pragma once

#include <cstdlib>

// Ends the program, so that the fuzzer keeps the input.
inline void require(bool promise) {
  if (!promise) std::abort();
}
