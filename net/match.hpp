// SPDX-License-Identifier: Apache-2.0
// One visitor out of several lambdas, for std::visit over events and actions.
#pragma once

namespace net {

template <class... Cases>
struct match : Cases... {
  using Cases::operator()...;
};
// clang 14 has no class template argument deduction for aggregates.
template <class... Cases>
match(Cases...) -> match<Cases...>;

}  // namespace net
