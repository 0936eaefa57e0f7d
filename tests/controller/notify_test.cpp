// SPDX-License-Identifier: Apache-2.0
#include "controller/notify.hpp"

#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>

#include "store/store_fixture.hpp"

namespace controller::testing {
namespace {

TEST(ServiceManager, IsToldByOneDatagram) {
  const TemporaryFolder folder;
  const auto path = (folder / "notify").string();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  const auto manager = socket(AF_UNIX, SOCK_DGRAM, 0);
  ASSERT_EQ(bind(manager, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  notify_service_manager(path, "READY=1");
  char text[64] = {};
  EXPECT_EQ(recv(manager, text, sizeof text, MSG_DONTWAIT), 7);
  EXPECT_STREQ(text, "READY=1");
  close(manager);
}

TEST(ServiceManager, IsNotMissed) {
  notify_service_manager("", "READY=1");
  notify_service_manager("/nowhere/to/be/found", "READY=1");
}

}  // namespace
}  // namespace controller::testing
