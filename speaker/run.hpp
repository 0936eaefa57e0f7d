// SPDX-License-Identifier: Apache-2.0
// herald-speaker from command line to exit code.
#pragma once

namespace speaker {

// 0 done, 1 failed at run time, 2 usage or configuration.
int run(int argc, const char* const* argv);

}  // namespace speaker
