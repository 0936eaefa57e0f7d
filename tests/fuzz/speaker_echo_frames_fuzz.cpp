// SPDX-License-Identifier: Apache-2.0
// decode_echo_frame on any bytes: the payload lies within the packet, and what comes back to its sender must survive
// being written and read again.
#include <algorithm>

#include "speaker/bfd/echo_frames.hpp"
#include "tests/fuzz/require.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto frame = speaker::decode_echo_frame({data, size});
  if (!frame) return 0;
  require(frame->source.family() == frame->destination.family());
  const auto payload = frame->payload;
  require(payload.data() >= data && payload.data() + payload.size() <= data + size);

  const auto written = speaker::encode_echo_frame(frame->source, payload);
  const auto again = speaker::decode_echo_frame(written);
  require(again && again->source == frame->source && again->destination == frame->source && again->ttl == 255);
  require(std::equal(again->payload.begin(), again->payload.end(), payload.begin(), payload.end()));
  return 0;
}
