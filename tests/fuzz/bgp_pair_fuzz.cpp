// SPDX-License-Identifier: Apache-2.0
// Two peers on the simulated link. The input chooses how the network is, and what is done to the two after how many
// events of it. They must keep their promises, and once they are left alone they must come up, agree, and stay up.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

#include "bgp/wire/notification.hpp"
#include "net/reader.hpp"
#include "tests/bgp/pair.hpp"
#include "tests/fuzz/require.hpp"

namespace {

using bgp::Connect;
using Mode = bgp::GracefulRestart::Mode;

constexpr int most_disturbances = 60;

// Of which one dials and the other one accepts, at least.
constexpr std::array<std::array<Connect, 2>, 6> ways{{{Connect::Both, Connect::Both},
                                                      {Connect::Both, Connect::PassiveOnly},
                                                      {Connect::PassiveOnly, Connect::Both},
                                                      {Connect::ActiveOnly, Connect::PassiveOnly},
                                                      {Connect::PassiveOnly, Connect::ActiveOnly},
                                                      {Connect::Both, Connect::ActiveOnly}}};

bgp::PeerConfig config(std::size_t index, std::uint8_t choice) {
  auto made = bgp::external_config();
  made.local_asn = net::Asn{index == 0 ? 65000U : 65001U};
  made.peer_asn = {bgp::ExpectedAsn::Kind::Exactly, net::Asn{index == 0 ? 65001U : 65000U}};
  made.hold_time = std::array{net::Seconds{90}, net::Seconds{9}, net::Seconds{30}}[choice % 3];
  made.graceful_restart.mode = std::array{Mode::Off, Mode::Helper, Mode::Full}[choice / 3 % 3];
  made.extended_messages = choice / 9 % 2 == 0;
  return made;
}

class Course {
 public:
  explicit Course(net::Reader& in) : choices_{in.u8(), in.u8()}, pair_{options(in), in.u32()} {}

  void disturb(net::Reader& in) {
    const auto what = in.u8();
    const auto index = what / 16U % 2U;
    switch (what % 12) {
      case 0:
        pair_.cut();
        break;
      case 1:
        pair_.crash(index, bgp::Pair::Crash::Told);
        break;
      case 2:
        pair_.crash(index, bgp::Pair::Crash::Silent);
        break;
      case 3:
        pair_.stop(index);
        break;
      case 4:
        pair_.start(index);
        break;
      case 5:
        pair_.set_reachable(what >= 128);
        break;
      case 6:
        pair_.peer(index).restart(cease(bgp::CeaseError::AdministrativeReset), pair_.now, pair_.actions());
        break;
      case 7:
        pair_.peer(index).violated(bgp::update_error(bgp::UpdateError::MalformedAsPath), pair_.now, pair_.actions());
        break;
      case 8:
        pair_.peer(index).leave(cease(bgp::CeaseError::AdministrativeShutdown), pair_.now, pair_.actions());
        break;
      case 9:
        reconfigure(index, in.u8());
        break;
      case 10:
        pair_.run_until(pair_.now + net::Seconds{in.u8()});
        break;
      default:
        break;
    }
    pair_.take(index);
    // What comes next falls between two events of the network, not at some time.
    const auto events = in.u8() % 32U;
    for (unsigned i = 0; i < events && pair_.step(pair_.now + net::Seconds{120}); ++i) continue;
    check();
  }

  void converge() {
    pair_.set_reachable(true);
    for (const std::size_t index : {0U, 1U}) pair_.start(index);
    // A dark connection may have to wait for its hold time, and then for the pause after an error.
    pair_.run_until(pair_.now + net::Seconds{300});
    check();
    require(pair_.both_established());
    const auto ups = established_count();
    const auto& one = *pair_.peer(0).established()->negotiated();
    const auto& other = *pair_.peer(1).established()->negotiated();
    require(one.hold_time == other.hold_time && one.families == other.families);
    require(one.message_limit == other.message_limit && one.restart.capable == other.restart.capable);
    pair_.run_until(pair_.now + net::Seconds{200});
    check();
    require(pair_.both_established() && established_count() == ups);
  }

 private:
  bgp::PairOptions options(net::Reader& in) {
    bgp::PairOptions made;
    const auto network = in.u8();
    made.longest_piece = std::array<std::size_t, 4>{1000, 1, 7, 40}[network % 4];
    made.least_delay = net::Milliseconds{network / 4 % 4 * 5};
    made.most_delay = made.least_delay + net::Milliseconds{network / 16 * 20};
    const auto& connect = ways[choices_[0] % ways.size()];
    for (const std::size_t i : {0U, 1U}) {
      made.configs[i] = configured(i, choices_[i]);
      made.configs[i].connect = connect[i];
    }
    return made;
  }

  // Identifiers and who dials stay: the two must be able to meet.
  [[nodiscard]] bgp::PeerConfig configured(std::size_t index, std::uint8_t choice) const {
    auto made = config(index, choice);
    const bool first_is_higher = choices_[1] >= 128;
    made.router_id = net::RouterId{(index == 0) == first_is_higher ? 0x0a000002U : 0x0a000001U};
    made.connect = ways[choices_[0] % ways.size()][index];
    return made;
  }

  void reconfigure(std::size_t index, std::uint8_t choice) {
    pair_.peer(index).reconfigure(configured(index, choice), pair_.now, pair_.actions());
  }

  [[nodiscard]] std::uint64_t established_count() {
    return pair_.peer(0).status().established_count + pair_.peer(1).status().established_count;
  }

  void check() {
    for (const auto& each : pair_.broken) std::fprintf(stderr, "%s\n", each.c_str());
    require(pair_.broken.empty());
  }

  std::array<std::uint8_t, 2> choices_;
  bgp::Pair pair_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  net::Reader in{{data, size}};
  Course course{in};
  for (int i = 0; i < most_disturbances && in.remaining() > 0; ++i) course.disturb(in);
  course.converge();
  return 0;
}
