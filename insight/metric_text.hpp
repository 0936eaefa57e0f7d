// SPDX-License-Identifier: Apache-2.0
// A metric in Prometheus' text form.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace insight {

[[nodiscard]] inline std::string gauge(std::string_view name, std::string_view help, std::size_t value) {
  return fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n{0} {2}\n", name, help, value);
}

}  // namespace insight
