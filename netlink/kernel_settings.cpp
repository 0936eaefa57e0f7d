// SPDX-License-Identifier: Apache-2.0
#include "netlink/kernel_settings.hpp"

#include <fstream>
#include <ios>

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

// Bits of capabilities(7).
constexpr unsigned cap_net_admin = 12;
constexpr unsigned cap_net_raw = 13;

std::optional<std::uint64_t> read_capabilities() {
  std::ifstream file{"/proc/self/status"};
  for (std::string word; file >> word;) {
    std::uint64_t bits = 0;
    if (word == "CapEff:" && file >> std::hex >> bits) return bits;
  }
  return std::nullopt;
}

}  // namespace

bool KernelSettings::lacks(unsigned capability) const {
  return capabilities && (*capabilities >> capability & 1) == 0;
}

std::vector<std::string> KernelSettings::warnings() const {
  std::vector<std::string> out;
  if (lacks(cap_net_admin))
    out.emplace_back("CAP_NET_ADMIN is missing: no route, address, MD5 or TCP-AO key can be given to the kernel");
  if (lacks(cap_net_raw))
    out.emplace_back("CAP_NET_RAW is missing: no ARP, NDP or router advertisement can be sent or heard");
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
  return {read(compat_mode), read(ipv4_hash_policy), read(ipv6_hash_policy), read(skip_notify), read_capabilities()};
}

void tune_kernel() {
  write(compat_mode, 0);
  write(skip_notify, 1);
  write(ipv4_hash_policy, 1);
  write(ipv6_hash_policy, 1);
}

}  // namespace netlink
