// SPDX-License-Identifier: Apache-2.0
// The links and addresses of this network namespace, followed by events and never polled. Owns the
// sockets; what was heard is a LinkTable.
#pragma once

#include <cstdint>
#include <vector>

#include "net/result.hpp"
#include "netlink/error.hpp"
#include "netlink/link_table.hpp"
#include "netlink/socket.hpp"

namespace netlink {

// Replaces what the table holds by what the kernel has. On failure the table is as it was, or nearer to
// the truth.
[[nodiscard]] net::Result<void, KernelError> read_links(CommandSocket& socket, LinkTable& table);

class Links {
 public:
  // Reads everything once. Throws std::system_error when the kernel gives us no socket or no answer.
  explicit Links(std::size_t receive_buffer = std::size_t{4} << 20);

  [[nodiscard]] const LinkTable& table() const { return table_; }
  // Readable when there is news; for a reactor to wait on.
  [[nodiscard]] int fd() const { return events_.fd(); }
  // Takes in the news and names the interfaces that came, went or changed, each once, ascending. Never
  // blocks, but for the dump that follows lost events.
  [[nodiscard]] std::vector<std::uint32_t> read();
  [[nodiscard]] std::uint64_t overruns() const { return overruns_; }

 private:
  EventSocket events_;  // opened before the first dump, so that nothing falls between
  CommandSocket commands_;
  LinkTable table_;
  std::uint64_t overruns_ = 0;
  bool behind_ = false;  // events were lost and the dump has not succeeded yet
};

}  // namespace netlink
