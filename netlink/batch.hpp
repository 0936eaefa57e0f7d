// SPDX-License-Identifier: Apache-2.0
// A buffer of netlink messages that leave in one system call. Sequence numbers count up from the first,
// so the answer to a message names its place in the batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

struct nlmsghdr;

namespace netlink {

class Batch {
 public:
  // Measured: larger batches gain nothing, smaller ones pay for system calls.
  static constexpr std::size_t capacity = std::size_t{128} * 1024;
  // No message of ours is larger: a group of 1,000 members takes 8 KiB.
  static constexpr std::size_t largest_message = std::size_t{64} * 1024;

  Batch();

  // Starts a message; attributes follow with libmnl's mnl_attr_put family, then finish().
  // Precondition: not full().
  nlmsghdr* begin(std::uint16_t type, std::uint16_t flags);
  void finish(const nlmsghdr* message);

  // Asks the kernel to answer the last message even when all went well.
  void acknowledge_last();
  void clear();

  [[nodiscard]] bool full() const { return size_ >= capacity; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] std::uint32_t first_sequence() const { return first_sequence_; }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {buffer_.get(), size_}; }

 private:
  std::unique_ptr<std::uint8_t[]> buffer_;
  std::size_t size_ = 0;
  std::size_t last_ = 0;
  std::size_t count_ = 0;
  std::uint32_t first_sequence_ = 1;
};

}  // namespace netlink
