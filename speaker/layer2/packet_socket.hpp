// SPDX-License-Identifier: Apache-2.0
// Whole Ethernet frames of one protocol on one interface: an AF_PACKET socket behind a kernel-side filter,
// waited for by Asio. Both protocols of layer 2 use it to receive: a solicitation that checks on a
// neighbour is sent to the service address itself, which is no address of this host, so the kernel would
// never give it to an ICMPv6 socket.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <system_error>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "net/result.hpp"
#include "speaker/layer2/packet_filter.hpp"

namespace speaker {

class PacketSocket {
 public:
  [[nodiscard]] static net::Result<PacketSocket, std::error_code> open(const boost::asio::any_io_executor& executor,
                                                                       unsigned link, std::uint16_t ethertype,
                                                                       const PacketFilter& filter);

  // Calls handler(error) once when there is something to read.
  template <class Handler>
  void wait(Handler&& handler) {
    descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read, std::forward<Handler>(handler));
  }
  // Gives every frame that is waiting to visit(bytes), at most a few hundred at a time so that nobody else
  // starves; the rest makes the socket readable again.
  template <class Visit>
  void receive(Visit&& visit) {
    for (unsigned round = 0; round < most_rounds; ++round) {
      const auto count = fill();
      for (unsigned i = 0; i < count; ++i) visit(std::span<const std::uint8_t>{buffers_[i].data(), sizes_[i]});
      if (count < batch) return;
    }
  }
  [[nodiscard]] std::error_code send(std::span<const std::uint8_t> frame);
  // Frames the kernel had no room for since the last call.
  [[nodiscard]] std::uint64_t take_drops();

 private:
  explicit PacketSocket(boost::asio::posix::stream_descriptor descriptor) : descriptor_{std::move(descriptor)} {}
  // Reads up to `batch` frames into buffers_.
  unsigned fill();

  static constexpr unsigned batch = 32;
  static constexpr unsigned most_rounds = 8;
  boost::asio::posix::stream_descriptor descriptor_;
  std::array<std::array<std::uint8_t, 512>, batch> buffers_{};
  std::array<std::size_t, batch> sizes_{};
};

}  // namespace speaker
