// SPDX-License-Identifier: Apache-2.0
#include "netlink/batch.hpp"

#include <cassert>

#include <libmnl/libmnl.h>

namespace netlink {

Batch::Batch() : buffer_{std::make_unique<std::uint8_t[]>(capacity + largest_message)} {}

nlmsghdr* Batch::begin(std::uint16_t type, std::uint16_t flags) {
  assert(!full());
  auto* message = mnl_nlmsg_put_header(buffer_.get() + size_);
  message->nlmsg_type = type;
  message->nlmsg_flags = flags;
  message->nlmsg_seq = first_sequence_ + static_cast<std::uint32_t>(count_);
  return message;
}

void Batch::finish(const nlmsghdr* message) {
  last_ = size_;
  size_ += MNL_ALIGN(message->nlmsg_len);
  ++count_;
}

void Batch::acknowledge_last() {
  if (empty()) return;
  reinterpret_cast<nlmsghdr*>(buffer_.get() + last_)->nlmsg_flags |= NLM_F_ACK;
}

void Batch::clear() {
  first_sequence_ += static_cast<std::uint32_t>(count_);
  size_ = 0;
  count_ = 0;
}

}  // namespace netlink
