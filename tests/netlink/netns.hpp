// SPDX-License-Identifier: Apache-2.0
// A fresh network namespace for one test, entered by the calling thread: loopback and two veth pairs,
// a0-b0 and a1-b1, all up. Nothing of it outlives the test.
#pragma once

#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include "netlink/fib.hpp"

namespace netlink {

inline int shell(const std::string& command) {
  return std::system((command + " >/dev/null 2>&1").c_str());
}
inline std::string output_of(const std::string& command) {
  std::string text;
  auto* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return text;
  char buffer[4096];
  for (std::size_t size = 0; (size = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) text.append(buffer, size);
  ::pclose(pipe);
  return text;
}

// Until `condition` holds; false when it does not within ten seconds.
inline bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  return true;
}

class InNamespace : public testing::Test {
 protected:
  void SetUp() override {
    home_ = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (::unshare(CLONE_NEWNET) != 0) GTEST_SKIP() << "needs the right to make a network namespace";
    std::string commands = "link set lo up\n";
    for (const std::string n : {"0", "1"}) {
      const auto a = "a" + n;
      const auto b = "b" + n;
      commands += "link add " + a + " type veth peer name " + b + "\n";
      commands += "link set " + a + " up\nlink set " + b + " up\n";
      commands += "addr add 10.0." + n + ".1/24 dev " + a + "\n";
      commands += "addr add 2001:db8:" + n + "::1/64 dev " + a + " nodad\n";
    }
    ASSERT_EQ(shell("printf '" + commands + "' | ip -batch -"), 0);
    // Both ends see carrier, or what follows races with it.
    ASSERT_TRUE(
        eventually([] { return output_of("ip -br link show up").find("LOWERLAYERDOWN") == std::string::npos; }));
  }
  void TearDown() override {
    if (home_ >= 0) {
      (void)::setns(home_, CLONE_NEWNET);
      ::close(home_);
    }
  }

 private:
  int home_ = -1;
};

inline net::Prefix prefix_of(const std::string& text) {
  return *net::parse_prefix(text);
}
inline NextHop via(const std::string& gateway, std::uint16_t weight = 1) {
  return {*net::parse_ip(gateway), 0, weight};
}
inline void set(Fib& fib, const std::string& prefix, const std::vector<NextHop>& hops) {
  fib.set(prefix_of(prefix), hops);
}
// Until there is nothing to do for now.
inline void settle(Fib& fib) {
  while (fib.step(net::Clock::now()) == Fib::Step::Worked) {
  }
}
// Steps the Fib as its thread would until `condition` holds.
inline bool eventually(Fib& fib, const std::function<bool()>& condition) {
  return eventually([&] {
    settle(fib);
    return condition();
  });
}

}  // namespace netlink
