// SPDX-License-Identifier: Apache-2.0
#include "bfd/authentication.hpp"

#include <algorithm>

#include "bfd/digest.hpp"

namespace bfd {
namespace {

bool is_meticulous(AuthType type) {
  return type == AuthType::MeticulousKeyedMd5 || type == AuthType::MeticulousKeyedSha1;
}

bool is_md5(AuthType type) {
  return type == AuthType::KeyedMd5 || type == AuthType::MeticulousKeyedMd5;
}

// The section with the key in the digest's place, filled with zeros: what the digest is made of.
AuthSection keyed_section(const AuthKey& key, std::uint32_t sequence) {
  AuthSection section;
  section.type = key.type;
  section.key_id = key.id;
  const auto size = std::min(key.secret.size(), longest_secret(key.type));
  std::copy_n(key.secret.begin(), size, section.data.begin());
  if (key.type == AuthType::SimplePassword) {
    section.data_size = static_cast<std::uint8_t>(size);
  } else {
    section.sequence = sequence;
    section.data_size = static_cast<std::uint8_t>(digest_size(key.type));
  }
  return section;
}

// Replaces the last octets of `packet`, where the key stands, by the digest of all of it.
void sign(AuthType type, std::span<std::uint8_t> packet) {
  const auto put = [&](const auto& digest) { std::ranges::copy(digest, packet.end() - digest.size()); };
  if (is_md5(type))
    put(md5(packet));
  else
    put(sha1(packet));
}

// In a time that does not tell how many octets are right.
bool same(std::span<const std::uint8_t> left, std::span<const std::uint8_t> right) {
  if (left.size() != right.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < left.size(); ++i) difference |= static_cast<unsigned>(left[i] ^ right[i]);
  return difference == 0;
}

}  // namespace

std::size_t longest_secret(AuthType type) {
  return type == AuthType::SimplePassword ? longest_password : digest_size(type);
}

Authentication::Authentication(std::optional<AuthKey> key, std::uint32_t first_sequence)
    : key_{std::move(key)}, sent_{first_sequence} {}

void Authentication::encode_signed(Packet packet, std::vector<std::uint8_t>& out) {
  packet.authentication.reset();
  if (!key_) return encode(packet, out);
  // Sections 6.7.3 and 6.7.4: meticulous ones count every packet; the others need not, but do when the contents differ,
  // so that an old packet cannot bring back an old state.
  if (is_meticulous(key_->type) || last_ != packet) ++sent_;
  last_ = packet;
  packet.authentication = keyed_section(*key_, sent_);
  const auto begin = out.size();
  encode(packet, out);
  if (key_->type != AuthType::SimplePassword) sign(key_->type, std::span{out}.subspan(begin));
}

std::optional<Discard> Authentication::verify(const Packet& packet, std::span<const std::uint8_t> datagram) {
  const auto& section = packet.authentication;
  if (!key_) return section ? std::optional{Discard::UnexpectedAuthentication} : std::nullopt;
  if (!section) return Discard::MissingAuthentication;
  if (section->type != key_->type || section->key_id != key_->id) return Discard::AuthenticationFailed;

  const auto expected = keyed_section(*key_, section->sequence);
  if (key_->type == AuthType::SimplePassword)
    return same(section->bytes(), expected.bytes()) ? std::nullopt : std::optional{Discard::AuthenticationFailed};

  if (const auto start = window_start()) {
    // Circular: how far ahead of the window's start it is.
    const auto ahead = section->sequence - *start;
    const auto width = 3U * packet.detect_multiplier - (is_meticulous(key_->type) ? 1U : 0U);
    if (ahead > width) return Discard::AuthenticationFailed;
  }
  const auto covered = signed_part(datagram);
  std::vector<std::uint8_t> copy{covered.begin(), covered.end()};
  std::ranges::copy(expected.bytes(), copy.end() - expected.data_size);
  sign(key_->type, copy);
  if (!same(section->bytes(), std::span{copy}.last(expected.data_size))) return Discard::AuthenticationFailed;
  received_ = section->sequence;
  return std::nullopt;
}

// Sections 6.7.3 and 6.7.4: from RcvAuthSeq, or the one behind it, to RcvAuthSeq + 3 * Detect Mult.
std::optional<std::uint32_t> Authentication::window_start() const {
  if (!received_) return std::nullopt;
  return is_meticulous(key_->type) ? *received_ + 1 : *received_;
}

}  // namespace bfd
