// SPDX-License-Identifier: Apache-2.0
// decode_arp on any bytes; what it takes must survive being written and read again.
#include <cstdlib>

#include "speaker/layer2/arp.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto arp = speaker::decode_arp({data, size});
  if (arp && speaker::decode_arp(speaker::encode_arp(*arp)) != arp) std::abort();
  return 0;
}
