// SPDX-License-Identifier: Apache-2.0
// Where bytes of a monitoring message or of a file are wrong, and how.
#pragma once

#include <cstddef>
#include <string_view>

namespace bgp {

struct Fault {
  std::size_t offset = 0;  // from the beginning of the message or record
  const char* text = "";   // static
  friend bool operator==(const Fault& one, const Fault& other) {
    return one.offset == other.offset && std::string_view{one.text} == other.text;
  }
};

}  // namespace bgp
