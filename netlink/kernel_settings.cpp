// SPDX-License-Identifier: Apache-2.0
#include "netlink/kernel_settings.hpp"

#include <fstream>

namespace netlink {
namespace {

constexpr const char* compat_mode = "/proc/sys/net/ipv4/nexthop_compat_mode";
constexpr const char* ipv4_hash_policy = "/proc/sys/net/ipv4/fib_multipath_hash_policy";
constexpr const char* ipv6_hash_policy = "/proc/sys/net/ipv6/fib_multipath_hash_policy";
constexpr const char* skip_notify = "/proc/sys/net/ipv6/route/skip_notify_on_dev_down";

std::optional<int> read(const char* path) {
  std::ifstream file{path};
  int value = 0;
  if (!(file >> value)) return std::nullopt;
  return value;
}

void write(const char* path, int value) {
  std::ofstream file{path};
  file << value << '\n';
}

}  // namespace

std::vector<std::string> KernelSettings::warnings() const {
  std::vector<std::string> out;
  if (nexthop_compat_mode.value_or(1) != 0)
    out.emplace_back(
        "net.ipv4.nexthop_compat_mode is 1: fail-over takes about 1 us per route; set it to 0 unless another "
        "program needs next hops spelled out in route events");
  if (ipv4_multipath_hash_policy == 0)
    out.emplace_back("net.ipv4.fib_multipath_hash_policy is 0: ECMP does not look at ports");
  if (ipv6_multipath_hash_policy == 0)
    out.emplace_back("net.ipv6.fib_multipath_hash_policy is 0: ECMP does not look at ports");
  return out;
}

KernelSettings read_kernel_settings() {
  return {read(compat_mode), read(ipv4_hash_policy), read(ipv6_hash_policy), read(skip_notify)};
}

void tune_kernel() {
  write(compat_mode, 0);
  write(skip_notify, 1);
  write(ipv4_hash_policy, 1);
  write(ipv6_hash_policy, 1);
}

}  // namespace netlink
