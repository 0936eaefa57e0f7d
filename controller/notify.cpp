// SPDX-License-Identifier: Apache-2.0
#include "controller/notify.hpp"

#include <algorithm>
#include <cstddef>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace controller {

void notify_service_manager(std::string_view socket, std::string_view state) {
  sockaddr_un address{};
  if (socket.empty() || socket.size() >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::ranges::copy(socket, address.sun_path);
  if (socket.front() == '@') address.sun_path[0] = '\0';  // the abstract namespace, unix(7)
  const auto length = offsetof(sockaddr_un, sun_path) + socket.size();
  const auto descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return;
  // Nothing is lost when nobody listens.
  static_cast<void>(::sendto(descriptor, state.data(), state.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(length)));
  ::close(descriptor);
}

}  // namespace controller
