// SPDX-License-Identifier: Apache-2.0
// Herald's kinds as CustomResourceDefinitions, made from the tables that the embedded API serves its schemas from: what
// a Kubernetes API lets through is what the reader reads. Pure.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "config/api_paths.hpp"

namespace controller {

// Precondition: a kind of group herald.dev.
[[nodiscard]] nlohmann::json crd_of(const config::KindInfo& kind);
// All of them as a stream of YAML documents.
[[nodiscard]] std::string print_crds();

}  // namespace controller
