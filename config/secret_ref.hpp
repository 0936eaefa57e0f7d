// SPDX-License-Identifier: Apache-2.0
// Where a secret is: what a peer or a profile says in place of it.
#pragma once

#include <string>

namespace config {

struct SecretRef {
  std::string name;
  std::string namespace_name;  // empty: the object's own, else "default"
  std::string key = "password";
  friend bool operator==(const SecretRef&, const SecretRef&) = default;
};

}  // namespace config
