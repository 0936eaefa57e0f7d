// SPDX-License-Identifier: Apache-2.0
// Over OpenSSL's block coder, which is linked for TLS anyway.
#include "config/base64.hpp"

#include <algorithm>

#include <openssl/evp.h>

namespace config {

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.empty()) return std::string{};
  if (text.size() % 4 != 0 || text.size() > (std::size_t{1} << 30U)) return std::nullopt;
  const auto padding = text.ends_with("==") ? 2U : text.ends_with("=") ? 1U : 0U;
  // EVP_DecodeBlock also takes white space and inner padding; neither belongs here.
  const auto alphabet = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  };
  if (!std::ranges::all_of(text.substr(0, text.size() - padding), alphabet)) return std::nullopt;

  std::string bytes(text.size() / 4 * 3, '\0');
  const auto length =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (length < 0) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(length) - padding);
  return bytes;
}

std::string encode_base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4, '\0');
  // One octet more than the text is written, for the terminating zero that std::string has room for.
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  return text;
}

}  // namespace config
