// SPDX-License-Identifier: Apache-2.0
// A LAN of two network namespaces for tests with the kernel and real tools:
//
//   client (eth0) ---- veth ---- node (eth1), where Layer2 runs on a thread of its own
#pragma once

#include <array>
#include <chrono>
#include <cstdio>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "speaker/layer2/layer2.hpp"

namespace speaker {

struct Output {
  int status = -1;
  std::string text;
};
inline Output run(const std::string& command) {
  Output output;
  auto* pipe = ::popen((command + " 2>&1").c_str(), "re");
  if (pipe == nullptr) return output;
  std::array<char, 4096> buffer{};
  while (const auto size = std::fread(buffer.data(), 1, buffer.size(), pipe)) output.text.append(buffer.data(), size);
  output.status = ::pclose(pipe);
  return output;
}

// What must come may be late on a busy machine.
constexpr std::chrono::seconds longest_wait{10};

// True as soon as the condition holds; false after the longest wait.
inline bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + longest_wait;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
  return true;
}

inline void enter_namespace(const std::string& name) {
  const auto handle = ::open(("/run/netns/" + name).c_str(), O_RDONLY | O_CLOEXEC);
  if (handle < 0 || ::setns(handle, CLONE_NEWNET) != 0) throw std::runtime_error("cannot enter " + name);
  ::close(handle);
}

inline net::IpAddress address_of(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&reinterpret_cast<const sockaddr_in*>(address)->sin_addr);
    return net::Ipv4Address::from_bytes({bytes, 4});
  }
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr);
  return net::Ipv6Address::from_bytes({bytes, 16});
}

// The links of the calling thread's namespace.
inline std::vector<L2Link> links_here() {
  std::map<std::string, L2Link> links;
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) throw std::runtime_error("getifaddrs");
  for (const auto* at = all; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || (at->ifa_flags & IFF_LOOPBACK) != 0) continue;
    auto& link = links[at->ifa_name];
    link.name = at->ifa_name;
    if (at->ifa_addr->sa_family == AF_PACKET) {
      const auto& packet = reinterpret_cast<const sockaddr_ll&>(*at->ifa_addr);
      link.index = static_cast<unsigned>(packet.sll_ifindex);
      std::copy_n(packet.sll_addr, 6, link.mac.octets.begin());
      link.up = (at->ifa_flags & IFF_UP) != 0;
      link.carrier = (at->ifa_flags & IFF_RUNNING) != 0;
      continue;
    }
    unsigned length = 0;
    const auto mask = address_of(at->ifa_netmask);
    while (length < net::address_bits(mask.family()) && mask.bit(length)) ++length;
    link.subnets.push_back(*net::Prefix::make(address_of(at->ifa_addr), length));
  }
  ::freeifaddrs(all);
  std::vector<L2Link> result;
  for (auto& [name, link] : links) result.push_back(std::move(link));
  return result;
}

class Namespace {
 public:
  explicit Namespace(std::string name) : name_{std::move(name)} {
    if (const auto made = run("ip netns add " + name_); made.status != 0) throw std::runtime_error(made.text);
  }
  ~Namespace() { run("ip netns del " + name_); }
  Namespace(const Namespace&) = delete;
  Namespace& operator=(const Namespace&) = delete;
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_;
};

class Lab {
 public:
  static bool possible() { return ::geteuid() == 0 && run("ip netns list").status == 0; }

  Lab() : client_space_{next_name("client")}, node_space_{next_name("node")} {
    for (const auto& name : {client_, node_}) {
      must("ip -n " + name + " link set lo up");
      must(in(name, "sysctl -qw net.ipv6.conf.default.accept_dad=0"));  // addresses are usable at once
    }
    plug_in();
    thread_ = std::thread{[this] { serve(); }};
    ready_.get_future().get();
  }
  ~Lab() {
    boost::asio::post(io_, [this] {
      layer2_.reset();
      io_.stop();
    });
    thread_.join();
  }
  Lab(const Lab&) = delete;
  Lab& operator=(const Lab&) = delete;

  // Makes the cable between the two, with new interfaces.
  void plug_in() {
    must("ip link add eth1 netns " + node_ + " type veth peer name eth0 netns " + client_);
    must("ip -n " + client_ + " addr add 192.0.2.99/24 dev eth0");
    must("ip -n " + client_ + " addr add 2001:db8::99/64 dev eth0 nodad");
    must("ip -n " + node_ + " addr add 192.0.2.1/24 dev eth1");
    must("ip -n " + node_ + " addr add 2001:db8::1/64 dev eth1 nodad");
    must("ip -n " + client_ + " link set eth0 up");
    must("ip -n " + node_ + " link set eth1 up");
    if (!eventually([&] {
          return run("ip -n " + node_ + " -6 addr show dev eth1 scope link").text.find("fe80") != std::string::npos;
        }))
      throw std::runtime_error("no link-local address");
  }

  Output client(const std::string& command) const { return run(in(client_, command)); }
  Output node(const std::string& command) const { return run(in(node_, command)); }
  [[nodiscard]] std::string client_namespace() const { return client_; }

  // Runs on the node's thread, in its namespace.
  template <class Work>
  auto on_node(Work work) {
    std::packaged_task<decltype(work())()> task{std::move(work)};
    auto result = task.get_future();
    boost::asio::post(io_, std::move(task));
    return result.get();
  }
  // The addresses owned from now on, over the links as they are now.
  void own(const OwnedAddresses& owned) {
    on_node([&] { layer2_->update(owned, links_here()); });
  }
  L2Counters counters() {
    return on_node([&] { return layer2_->counters(); });
  }
  std::vector<std::string> answering(const net::IpAddress& address) {
    return on_node([&] { return layer2_->answering(address); });
  }
  std::vector<Layer2Event> events() {
    return on_node([&] { return events_; });
  }
  std::string node_mac() {
    return on_node([] {
      for (const auto& link : links_here()) {
        if (link.name == "eth1") return net::print(link.mac);
      }
      return std::string{};
    });
  }

  static void must(const std::string& command) {
    const auto output = run(command);
    if (output.status != 0) throw std::runtime_error(command + ": " + output.text);
  }

 private:
  static std::string in(const std::string& name, const std::string& command) {
    return "ip netns exec " + name + " " + command;
  }
  void serve() {
    enter_namespace(node_);
    layer2_ =
        std::make_unique<Layer2>(io_.get_executor(), [this](const Layer2Event& event) { events_.push_back(event); });
    const auto guard = boost::asio::make_work_guard(io_);
    ready_.set_value();
    io_.run();
  }

  static std::string next_name(const std::string& what) {
    static int count = 0;
    return "layer2-" + std::to_string(::getpid()) + "-" + std::to_string(count++) + "-" + what;
  }

  Namespace client_space_;
  Namespace node_space_;
  const std::string& client_ = client_space_.name();
  const std::string& node_ = node_space_.name();
  boost::asio::io_context io_;
  std::unique_ptr<Layer2> layer2_;
  std::vector<Layer2Event> events_;
  std::promise<void> ready_;
  std::thread thread_;
};

}  // namespace speaker
