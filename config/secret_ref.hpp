// SPDX-License-Identifier: Apache-2.0
// Where a secret is: what a peer or a profile says in place of it.
#pragma once

#include <string>

namespace config {

struct SecretRef {
  std::string name;
  std::string namespace_name;  // empty: the object's own, else "default"
  std::string key = "password";
  // "NAMESPACE/NAME", as a Secret's key among resources.
  [[nodiscard]] std::string full_name(const std::string& own_namespace = {}) const {
    const auto& given = namespace_name.empty() ? own_namespace : namespace_name;
    return (given.empty() ? "default" : given) + "/" + name;
  }
  friend bool operator==(const SecretRef&, const SecretRef&) = default;
};

}  // namespace config
