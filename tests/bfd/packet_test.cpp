// SPDX-License-Identifier: Apache-2.0
#include "bfd/packet.hpp"

#include "tests/bfd/fixture.hpp"

namespace bfd {
namespace {

using Bytes = std::vector<std::uint8_t>;

// One packet of every shape, as bytes and as a value: both ways must hold.
struct Vector {
  const char* name;
  Bytes bytes;
  Packet packet;
};

Packet plain() {
  Packet packet;
  packet.diagnostic = Diagnostic::NeighborSignaledDown;
  packet.state = State::Init;
  packet.detect_multiplier = 5;
  packet.my_discriminator = 0x01020304;
  packet.your_discriminator = 0xa1a2a3a4;
  packet.desired_min_tx = Interval{1'000'000};
  packet.required_min_rx = Interval{50'000};
  packet.required_min_echo_rx = Interval{10'000};
  return packet;
}

const Bytes plain_bytes{0x23, 0x80, 0x05, 0x18, 0x01, 0x02, 0x03, 0x04, 0xa1, 0xa2, 0xa3, 0xa4,
                        0x00, 0x0f, 0x42, 0x40, 0x00, 0x00, 0xc3, 0x50, 0x00, 0x00, 0x27, 0x10};

Bytes with_section(std::uint8_t flags, Bytes section) {
  auto bytes = plain_bytes;
  bytes[1] = flags;
  bytes.insert(bytes.end(), section.begin(), section.end());
  bytes[3] = static_cast<std::uint8_t>(bytes.size());
  return bytes;
}

Packet authenticated(AuthType type, std::uint32_t sequence, std::uint8_t size, std::uint8_t fill) {
  auto packet = plain();
  AuthSection section;
  section.type = type;
  section.key_id = 9;
  section.sequence = sequence;
  section.data_size = size;
  std::fill_n(section.data.begin(), size, fill);
  packet.authentication = section;
  return packet;
}

Bytes digest_section(std::uint8_t type, std::uint8_t size, std::uint8_t fill) {
  Bytes section{type, static_cast<std::uint8_t>(8 + size), 9, 0, 0xde, 0xad, 0xbe, 0xef};
  section.insert(section.end(), size, fill);
  return section;
}

std::vector<Vector> vectors() {
  std::vector<Vector> out{{"plain", plain_bytes, plain()}};
  auto flags = plain();
  flags.state = State::Up;
  flags.diagnostic = Diagnostic::None;
  flags.poll = flags.control_plane_independent = flags.demand = true;
  auto bytes = plain_bytes;
  bytes[0] = 0x20;
  bytes[1] = 0xea;
  out.push_back({"poll, independent, demand", bytes, flags});
  flags.poll = flags.control_plane_independent = flags.demand = false;
  flags.final = true;
  bytes[1] = 0xd0;
  out.push_back({"final", bytes, flags});
  auto first = plain();
  first.state = State::AdminDown;
  first.your_discriminator = 0;
  first.diagnostic = Diagnostic::AdministrativelyDown;
  bytes = plain_bytes;
  bytes[0] = 0x27;
  bytes[1] = 0x00;
  std::fill_n(bytes.begin() + 8, 4, std::uint8_t{0});
  out.push_back({"admin down without your discriminator", bytes, first});
  auto reserved = plain();
  reserved.diagnostic = static_cast<Diagnostic>(31);
  bytes = plain_bytes;
  bytes[0] = 0x3f;
  out.push_back({"a reserved diagnostic is kept", bytes, reserved});

  out.push_back({"password", with_section(0x84, {1, 6, 9, 0x61, 0x61, 0x61}),
                 authenticated(AuthType::SimplePassword, 0, 3, 0x61)});
  out.push_back({"keyed md5", with_section(0x84, digest_section(2, 16, 0x33)),
                 authenticated(AuthType::KeyedMd5, 0xdeadbeef, 16, 0x33)});
  out.push_back({"meticulous md5", with_section(0x84, digest_section(3, 16, 0x34)),
                 authenticated(AuthType::MeticulousKeyedMd5, 0xdeadbeef, 16, 0x34)});
  out.push_back({"keyed sha1", with_section(0x84, digest_section(4, 20, 0x35)),
                 authenticated(AuthType::KeyedSha1, 0xdeadbeef, 20, 0x35)});
  out.push_back({"meticulous sha1", with_section(0x84, digest_section(5, 20, 0x36)),
                 authenticated(AuthType::MeticulousKeyedSha1, 0xdeadbeef, 20, 0x36)});
  return out;
}

TEST(BfdPacket, DecodesEveryShape) {
  for (const auto& vector : vectors()) EXPECT_EQ(decode(vector.bytes), vector.packet) << vector.name;
}

TEST(BfdPacket, EncodesEveryShape) {
  for (const auto& vector : vectors()) {
    Bytes out{0xff};  // appended behind what is there
    encode(vector.packet, out);
    EXPECT_EQ(Bytes(out.begin() + 1, out.end()), vector.bytes) << vector.name;
  }
}

TEST(BfdPacket, RefusesEveryTruncation) {
  for (const auto& vector : vectors())
    for (std::size_t size = 0; size < vector.bytes.size(); ++size)
      EXPECT_EQ(decode(std::span{vector.bytes}.first(size)), net::fail(Discard::Short)) << vector.name << " " << size;
}

TEST(BfdPacket, IgnoresWhatStandsBehindItsLength) {
  for (const auto& vector : vectors()) {
    auto longer = vector.bytes;
    longer.insert(longer.end(), {1, 2, 3});
    EXPECT_EQ(decode(longer), vector.packet) << vector.name;
    EXPECT_EQ(signed_part(longer).size(), vector.bytes.size());
  }
}

TEST(BfdPacket, TakesALengthThatSaysMoreThanThereIs) {
  auto bytes = plain_bytes;
  bytes.insert(bytes.end(), {1, 2, 3});
  bytes[3] = 27;
  EXPECT_EQ(decode(bytes), plain());
}

struct Bad {
  const char* name;
  std::size_t at;
  std::uint8_t value;
  Discard reason;
};

TEST(BfdPacket, DiscardsByTheRulesOfTheReceptionOfControlPackets) {
  for (const auto& bad :
       {Bad{"version 0", 0, 0x03, Discard::BadVersion}, Bad{"version 2", 0, 0x43, Discard::BadVersion},
        Bad{"length below the header", 3, 23, Discard::BadLength},
        Bad{"length above the payload", 3, 25, Discard::Short}, Bad{"multiplier 0", 2, 0, Discard::ZeroMultiplier},
        Bad{"multipoint", 1, 0x81, Discard::Multipoint}, Bad{"section without octets", 1, 0x84, Discard::BadLength}}) {
    auto bytes = plain_bytes;
    bytes[bad.at] = bad.value;
    EXPECT_EQ(decode(bytes), net::fail(bad.reason)) << bad.name;
  }
  auto bytes = plain_bytes;
  std::fill_n(bytes.begin() + 4, 4, std::uint8_t{0});
  EXPECT_EQ(decode(bytes), net::fail(Discard::ZeroDiscriminator));
  for (const auto& [state, allowed] :
       {std::pair{State::AdminDown, true}, {State::Down, true}, {State::Init, false}, {State::Up, false}}) {
    auto packet = plain();
    packet.your_discriminator = 0;
    packet.state = state;
    EXPECT_EQ(decode(bytes_of(packet)).has_value(), allowed) << print(state);
  }
}

TEST(BfdPacket, DiscardsAuthenticationSectionsThatDoNotHoldTogether) {
  const auto reason = [](Bytes section) {
    const auto packet = decode(with_section(0x84, std::move(section)));
    return packet ? std::nullopt : std::optional{packet.error()};
  };
  EXPECT_EQ(reason({1, 2}), Discard::BadLength);                      // no key id
  EXPECT_EQ(reason({1, 3, 9}), Discard::AuthenticationFailed);        // no password
  EXPECT_EQ(reason({1, 5, 9, 0x61}), Discard::BadLength);             // says more than there is
  EXPECT_EQ(reason({1, 4, 9, 0x61, 0x62}), Discard::BadLength);       // says less
  EXPECT_EQ(reason({0, 4, 9, 0x61}), Discard::AuthenticationFailed);  // reserved
  EXPECT_EQ(reason({6, 4, 9, 0x61}), Discard::AuthenticationFailed);  // unknown
  EXPECT_EQ(reason({2, 7, 9, 0, 1, 2, 3}), Discard::AuthenticationFailed);
  EXPECT_EQ(reason(digest_section(2, 20, 1)), Discard::AuthenticationFailed);
  EXPECT_EQ(reason(digest_section(4, 16, 1)), Discard::AuthenticationFailed);
  auto password = Bytes{1, 20, 9};
  password.insert(password.end(), 17, 0x61);
  EXPECT_EQ(reason(password), Discard::AuthenticationFailed);
}

}  // namespace
}  // namespace bfd
