// SPDX-License-Identifier: Apache-2.0
// A certificate that this process makes for itself, and the bundle in which a webhook configuration lists those that
// the API server shall trust. The key never leaves the process; each process adds its own certificate to the bundle.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace controller {

struct OwnCertificate {
  std::string certificate;  // PEM, self-signed
  std::string key;          // PEM
  std::chrono::system_clock::time_point not_after;
};
// For these DNS names and addresses ("10.0.0.1" is one). Throws std::runtime_error when OpenSSL cannot.
[[nodiscard]] OwnCertificate make_certificate(const std::vector<std::string>& names,
                                              std::chrono::system_clock::time_point now, std::chrono::seconds validity);

// The bundle with this certificate in it: without those that have expired and what is no certificate, the newest last,
// and no more than a few. The same bundle when there is nothing to change.
[[nodiscard]] std::string bundle_with(std::string_view bundle, std::string_view certificate,
                                      std::chrono::system_clock::time_point now);

}  // namespace controller
