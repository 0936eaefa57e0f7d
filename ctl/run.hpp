// SPDX-License-Identifier: Apache-2.0
// heraldctl from command line to exit code.
#pragma once

#include "ctl/planner.hpp"

namespace ctl {

// 0 done, 1 the request failed, 2 usage.
int run(int argc, const char* const* argv, const Planner& planner);

}  // namespace ctl
