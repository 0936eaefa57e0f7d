// SPDX-License-Identifier: Apache-2.0
// Names of nodes, and how few of them a sentence has: what is said of a cluster is bounded whatever its size.
#pragma once

#include <set>
#include <string>

namespace insight {

using NodeNames = std::set<std::string>;

// "n1, n2, n3, n4 and 96 more"
[[nodiscard]] std::string names(const NodeNames& nodes);

}  // namespace insight
