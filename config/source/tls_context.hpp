// SPDX-License-Identifier: Apache-2.0
// The TLS side of an endpoint: whom to trust, and who we are. Made anew for every connection, so that
// certificates that were replaced on disk are used without a restart.
#pragma once

#include <string>

#include <boost/asio/ssl/context.hpp>

#include "config/source/api_endpoint.hpp"
#include "net/result.hpp"

namespace config {

// The error names the file or the field that cannot be used.
[[nodiscard]] net::Result<boost::asio::ssl::context, std::string> make_tls_context(const ApiEndpoint& endpoint);

}  // namespace config
