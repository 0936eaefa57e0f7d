// SPDX-License-Identifier: Apache-2.0
// Beast's non-template code, and Asio's for TLS.
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
