// SPDX-License-Identifier: Apache-2.0
// decode_ndp on any bytes; what it takes and we could have sent must survive being written and read again.
#include <cstdlib>

#include "speaker/layer2/ndp.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto ndp = speaker::decode_ndp({data, size});
  if (ndp && ndp->link_address && speaker::decode_ndp(speaker::encode_ndp(*ndp)) != ndp) std::abort();
  return 0;
}
