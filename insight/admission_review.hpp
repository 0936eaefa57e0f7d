// SPDX-License-Identifier: Apache-2.0
// Answers an AdmissionReview (admission.k8s.io/v1) about objects of herald.dev: does the object hold together, alone
// and with all others; and is one that is to be deleted in use? Pure.
#pragma once

#include <nlohmann/json.hpp>

#include "config/resources.hpp"

namespace insight {

// On an object: it may be deleted although it is in use.
inline constexpr std::string_view delete_in_use = "herald.dev/delete-in-use";

// `all`: what can be read of Herald's kinds and of Nodes, also what is set aside. `services`: for who has an address of
// a pool. Whatever is asked that cannot be judged is allowed: the condition of the object says later what is wrong.
[[nodiscard]] nlohmann::json admission_review(const nlohmann::json& review, const config::Resources& all,
                                              const config::Resources& services);

}  // namespace insight
