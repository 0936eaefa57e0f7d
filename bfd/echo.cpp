// SPDX-License-Identifier: Apache-2.0
#include "bfd/echo.hpp"

#include "bfd/digest.hpp"
#include "net/reader.hpp"
#include "net/writer.hpp"

namespace bfd {
namespace {

constexpr std::uint32_t magic = 0x48424644;

std::uint32_t check(const Echo& echo, std::uint64_t secret) {
  std::vector<std::uint8_t> covered;
  net::Writer out{covered};
  out.u64(secret);
  out.u32(echo.discriminator);
  out.u32(echo.sequence);
  out.u64(secret);
  const auto digest = sha1(covered);
  return net::Reader{digest}.u32();
}

}  // namespace

std::vector<std::uint8_t> encode(const Echo& echo, std::uint64_t secret) {
  std::vector<std::uint8_t> bytes;
  net::Writer out{bytes};
  out.u32(magic);
  out.u32(echo.discriminator);
  out.u32(echo.sequence);
  out.u32(check(echo, secret));
  return bytes;
}

std::optional<Echo> decode_echo(std::span<const std::uint8_t> payload, std::uint64_t secret) {
  net::Reader in{payload};
  const auto start = in.u32();
  Echo echo;
  echo.discriminator = in.u32();
  echo.sequence = in.u32();
  const auto found = in.u32();
  if (!in.ok() || start != magic || found != check(echo, secret)) return std::nullopt;
  return echo;
}

}  // namespace bfd
