// SPDX-License-Identifier: Apache-2.0
// Asio's non-template code: what every event of every program passes through.
#include <boost/asio/impl/src.hpp>
