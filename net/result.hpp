// SPDX-License-Identifier: Apache-2.0
// The one result type of the tree: a value, or an error that says what to do about it.
// Only members that std::expected also has are used, so that a later swap is one line.
#pragma once

#include <type_traits>
#include <utility>

#include <tl/expected.hpp>

namespace net {

template <class Value, class Error>
using Result = tl::expected<Value, Error>;

template <class Error>
[[nodiscard]] constexpr auto fail(Error&& error) {
  return tl::unexpected<std::decay_t<Error>>(std::forward<Error>(error));
}

}  // namespace net
