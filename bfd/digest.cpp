// SPDX-License-Identifier: Apache-2.0
#include "bfd/digest.hpp"

#include <bit>
#include <cmath>
#include <cstddef>
#include <vector>

namespace bfd {
namespace {

constexpr std::size_t block_size = 64;
enum class Order : std::uint8_t { LittleEndian, BigEndian };

std::uint32_t load(const std::uint8_t* bytes, Order order) {
  std::uint32_t word = 0;
  for (unsigned i = 0; i < 4; ++i) {
    const auto shift = 8 * (order == Order::LittleEndian ? i : 3 - i);
    word |= std::uint32_t{bytes[i]} << shift;
  }
  return word;
}

void store(std::uint64_t value, std::size_t width, Order order, std::uint8_t* out) {
  for (std::size_t i = 0; i < width; ++i) {
    const auto shift = 8 * (order == Order::LittleEndian ? i : width - 1 - i);
    out[i] = static_cast<std::uint8_t>(value >> shift);
  }
}

// The message, a one bit, zeros, and the number of its bits in 64 bits: a whole number of blocks.
std::vector<std::uint8_t> padded(std::span<const std::uint8_t> message, Order order) {
  std::vector<std::uint8_t> out{message.begin(), message.end()};
  out.push_back(0x80);
  while (out.size() % block_size != block_size - 8) out.push_back(0);
  out.resize(out.size() + 8);
  store(std::uint64_t{message.size()} * 8, 8, order, out.data() + out.size() - 8);
  return out;
}

template <std::size_t words>
std::array<std::uint8_t, 4 * words> octets(const std::array<std::uint32_t, words>& state, Order order) {
  std::array<std::uint8_t, 4 * words> out{};
  for (std::size_t i = 0; i < words; ++i) store(state[i], 4, order, out.data() + 4 * i);
  return out;
}

// RFC 1321 section 3.4: T[i] is the integer part of 4294967296 times abs(sin(i)).
const std::array<std::uint32_t, 64>& sines() {
  static const auto table = [] {
    std::array<std::uint32_t, 64> made{};
    for (std::size_t i = 0; i < made.size(); ++i)
      made[i] = static_cast<std::uint32_t>(4294967296.0 * std::abs(std::sin(static_cast<double>(i + 1))));
    return made;
  }();
  return table;
}

void md5_block(std::array<std::uint32_t, 4>& state, const std::uint8_t* block) {
  static constexpr int shifts[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
  auto [a, b, c, d] = state;
  for (unsigned i = 0; i < 64; ++i) {
    const auto round = i / 16;
    std::uint32_t mixed = 0;
    unsigned word = 0;
    if (round == 0) {
      mixed = (b & c) | (~b & d);
      word = i;
    } else if (round == 1) {
      mixed = (d & b) | (~d & c);
      word = (5 * i + 1) % 16;
    } else if (round == 2) {
      mixed = b ^ c ^ d;
      word = (3 * i + 5) % 16;
    } else {
      mixed = c ^ (b | ~d);
      word = 7 * i % 16;
    }
    const auto turned = std::rotl(a + mixed + sines()[i] + load(block + std::size_t{4} * word, Order::LittleEndian),
                                  shifts[round][i % 4]);
    a = d;
    d = c;
    c = b;
    b += turned;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
}

void sha1_block(std::array<std::uint32_t, 5>& state, const std::uint8_t* block) {
  std::array<std::uint32_t, 80> words{};
  for (std::size_t i = 0; i < 16; ++i) words[i] = load(block + 4 * i, Order::BigEndian);
  for (std::size_t i = 16; i < 80; ++i)
    words[i] = std::rotl(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
  auto [a, b, c, d, e] = state;
  for (std::size_t i = 0; i < 80; ++i) {
    std::uint32_t mixed = 0;
    if (i < 20) {
      mixed = ((b & c) | (~b & d)) + 0x5a827999;
    } else if (i < 40) {
      mixed = (b ^ c ^ d) + 0x6ed9eba1;
    } else if (i < 60) {
      mixed = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    } else {
      mixed = (b ^ c ^ d) + 0xca62c1d6;
    }
    const auto next = std::rotl(a, 5) + mixed + e + words[i];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
}

}  // namespace

std::array<std::uint8_t, 16> md5(std::span<const std::uint8_t> message) {
  std::array<std::uint32_t, 4> state{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  const auto blocks = padded(message, Order::LittleEndian);
  for (std::size_t at = 0; at < blocks.size(); at += block_size) md5_block(state, blocks.data() + at);
  return octets(state, Order::LittleEndian);
}

std::array<std::uint8_t, 20> sha1(std::span<const std::uint8_t> message) {
  std::array<std::uint32_t, 5> state{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  const auto blocks = padded(message, Order::BigEndian);
  for (std::size_t at = 0; at < blocks.size(); at += block_size) sha1_block(state, blocks.data() + at);
  return octets(state, Order::BigEndian);
}

}  // namespace bfd
