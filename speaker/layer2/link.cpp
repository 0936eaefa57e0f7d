// SPDX-License-Identifier: Apache-2.0
#include "speaker/layer2/link.hpp"

#include <algorithm>
#include <array>

namespace speaker {
namespace {

constexpr std::array<std::string_view, 14> internal_prefixes{"docker",  "cbr",       "cni",          "dummy",  "virbr",
                                                             "vnet",    "lxc",       "veth",         "cali",   "tunl",
                                                             "flannel", "kube-ipvs", "nodelocaldns", "cilium_"};

}  // namespace

bool internal_interface(std::string_view name) {
  return name == "lo" ||
         std::ranges::any_of(internal_prefixes, [&](std::string_view prefix) { return name.starts_with(prefix); });
}

bool answers(const L2Link& link) {
  return link.ethernet && link.up && link.carrier && !link.mac.group() && link.mac != net::Mac{};
}

bool allows(const std::vector<std::string>& allowed, std::string_view interface) {
  if (allowed.empty()) return !internal_interface(interface);
  return std::ranges::find(allowed, interface) != allowed.end();
}

std::vector<config::SpeakerState::Interface> published(const std::vector<L2Link>& links) {
  std::vector<config::SpeakerState::Interface> interfaces;
  for (const auto& link : links) {
    if (!link.ethernet || link.subnets.empty()) continue;
    auto subnets = link.subnets;
    std::erase_if(subnets, [](const net::Prefix& subnet) { return subnet.address().link_local(); });
    std::ranges::sort(subnets);
    subnets.erase(std::unique(subnets.begin(), subnets.end()), subnets.end());
    if (!subnets.empty()) interfaces.push_back({link.name, answers(link), std::move(subnets)});
  }
  std::ranges::sort(interfaces, {}, &config::SpeakerState::Interface::name);
  return interfaces;
}

}  // namespace speaker
