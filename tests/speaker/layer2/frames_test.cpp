// SPDX-License-Identifier: Apache-2.0
// Every kind of frame that the responder sends, as an independent decoder sees it.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "speaker/layer2/responder.hpp"
#include "tests/speaker/layer2/lab.hpp"
#include "tests/speaker/layer2/solicitation.hpp"
#include "tests/speaker/world.hpp"

namespace speaker {
namespace {

void write_capture(const std::string& path, const std::vector<std::vector<std::uint8_t>>& frames) {
  std::ofstream file{path, std::ios::binary};
  const auto u32 = [&](std::uint32_t value) { file.write(reinterpret_cast<const char*>(&value), sizeof value); };
  u32(0xa1b2c3d4);
  u32(2 | 4U << 16);  // version 2.4
  u32(0);
  u32(0);
  u32(65535);
  u32(1);  // Ethernet
  for (const auto& frame : frames) {
    u32(0);
    u32(0);
    u32(static_cast<std::uint32_t>(frame.size()));
    u32(static_cast<std::uint32_t>(frame.size()));
    file.write(reinterpret_cast<const char*>(frame.data()), static_cast<std::streamsize>(frame.size()));
  }
}

TEST(Frames, AreDecodedByTsharkWithoutAWarning) {
  if (run("tshark --version").status != 0) GTEST_SKIP() << "needs tshark";
  const auto mac = *net::parse_mac("02:00:00:00:00:02");
  const auto asker = *net::parse_mac("02:00:00:00:00:aa");
  const auto vip4 = ip("192.0.2.10");
  const auto vip6 = ip("2001:db8::10");
  const net::TimePoint now{std::chrono::hours{1}};
  Responder responder;
  responder.update({{vip4, {2}}, {vip6, {2}}}, {{2, {mac, 0}}}, now);

  std::vector<std::vector<std::uint8_t>> frames;
  const auto add = [&](const std::optional<L2Frame>& frame) {
    ASSERT_TRUE(frame);
    frames.emplace_back(frame->bytes().begin(), frame->bytes().end());
  };
  for (const auto& frame : responder.tick(now)) add(frame);
  const Arp request{net::broadcast_mac, asker, Arp::Operation::Request, asker, ip("192.0.2.99").v4(), {}, vip4.v4()};
  add(responder.handle(2, encode_arp(request), now));
  auto probe = request;
  probe.sender = {};
  add(responder.handle(2, encode_arp(probe), now));
  Solicitation solicitation{.destination_mac = multicast_mac(solicited_node(vip6.v6())),
                            .source_mac = asker,
                            .source = ip("2001:db8::99").v6(),
                            .destination = solicited_node(vip6.v6()),
                            .target = vip6.v6(),
                            .source_link = asker,
                            .more_options = {}};
  add(responder.handle(2, solicitation.bytes(), now));
  solicitation.source = {};
  solicitation.source_link = std::nullopt;
  add(responder.handle(2, solicitation.bytes(), now));
  ASSERT_EQ(frames.size(), 7U);

  const auto path =
      (std::filesystem::temp_directory_path() / ("layer2-" + std::to_string(::getpid()) + ".pcap")).string();
  write_capture(path, frames);
  const auto all = run("(tshark -r " + path +
                       " -T fields -E separator=, -e arp.opcode -e arp.isgratuitous "
                       "-e icmpv6.type -e icmpv6.checksum.status -e icmpv6.nd.na.flag.s -e icmpv6.nd.na.flag.o "
                       "2>/dev/null)");
  const auto odd = run("(tshark -r " + path + " -Y '_ws.expert || _ws.malformed' 2>/dev/null)");
  std::filesystem::remove(path);
  EXPECT_EQ(odd.text, "");
  EXPECT_EQ(all.text,
            "1,1,,,,\n"      // announcement as a request
            "2,1,,,,\n"      // and as a reply
            ",,136,1,0,1\n"  // unsolicited advertisement
            "2,,,,,\n"
            "2,,,,,\n"
            ",,136,1,1,1\n"
            ",,136,1,0,1\n");
}

}  // namespace
}  // namespace speaker
