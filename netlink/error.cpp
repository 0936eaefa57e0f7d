// SPDX-License-Identifier: Apache-2.0
#include "netlink/error.hpp"

#include <cstring>

namespace netlink {

std::string print(const KernelError& error) {
  const auto* meaning = ::strerrordesc_np(error.number);
  const auto* name = ::strerrorname_np(error.number);
  auto text = !error.text.empty() ? error.text : std::string{meaning == nullptr ? "unknown error" : meaning};
  return text + " (" + (name == nullptr ? std::to_string(error.number) : std::string{name}) + ")";
}

}  // namespace netlink
