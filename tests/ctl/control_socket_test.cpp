// SPDX-License-Identifier: Apache-2.0
#include "ctl/control_socket.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/commands.hpp"

namespace ctl {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class ControlSocket : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "ctl.XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  void bind(const std::string& name) const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    (folder_ / name).string().copy(address.sun_path, sizeof(address.sun_path) - 1);
    const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    ::close(socket);
  }
  [[nodiscard]] std::string refusal() const {
    try {
      (void)only_control_socket(folder_);
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.code, 2);
      return failure.what();
    }
    return "";
  }

  fs::path folder_;
};

TEST_F(ControlSocket, IsTheOnlyOne) {
  bind("r1.sock");
  std::ofstream{folder_ / "r1.pid"} << "1";
  EXPECT_EQ(only_control_socket(folder_), "unix:" + (folder_ / "r1.sock").string());
}

TEST_F(ControlSocket, IsAskedForWhereThereAreSeveral) {
  bind("r2.sock");
  bind("r1.sock");
  EXPECT_THAT(refusal(), HasSubstr("there are unix:" + (folder_ / "r1.sock").string() +
                                   ", unix:" + (folder_ / "r2.sock").string()));
}

TEST_F(ControlSocket, IsAskedForWhereThereIsNone) {
  EXPECT_THAT(refusal(), HasSubstr("give --control unix:PATH"));
  fs::remove_all(folder_);
  EXPECT_THAT(refusal(), HasSubstr("there is no socket in " + folder_.string()));
}

}  // namespace
}  // namespace ctl
