// SPDX-License-Identifier: Apache-2.0
// The router in one process, without sockets: how fast routes go from senders to receivers, what they cost
// in memory, and how fast they go away. Senders' bytes are made before the clock starts.
#include <chrono>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <malloc.h>

#include "tests/bgp/speaker.hpp"

namespace bgp {
namespace {

std::size_t heap_bytes() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// Eight prefixes an attribute set; paths of two to six hops, up to five communities.
std::vector<std::vector<std::uint8_t>> feed(const Speaker& speaker, std::uint32_t first, std::uint32_t count,
                                            std::uint64_t seed) {
  std::mt19937_64 random{seed};
  std::vector<std::vector<std::uint8_t>> pieces(1);
  for (std::uint32_t i = 0; i < count; i += 8) {
    PathAttributes attributes;
    AsPathSegment segment{AsPathSegment::Type::Sequence, {speaker.options().asn}};
    for (auto hops = 1 + random() % 5; hops > 0; --hops)
      segment.asns.push_back({static_cast<std::uint32_t>(100000 + random() % 300000)});
    attributes.as_path.segments.push_back(segment);
    for (auto communities = random() % 6; communities > 0; --communities)
      attributes.communities.push_back({static_cast<std::uint32_t>(random())});
    std::vector<net::Prefix> prefixes;
    for (std::uint32_t j = i; j < i + 8 && j < count; ++j)
      prefixes.emplace_back(*net::Ipv4Prefix::make({0x01000000 + ((first + j) << 8)}, 24));
    const auto bytes = speaker.update(prefixes, attributes);
    if (pieces.back().size() + bytes.size() > 65536) pieces.emplace_back();
    pieces.back().insert(pieces.back().end(), bytes.begin(), bytes.end());
  }
  return pieces;
}

struct Load {
  std::uint32_t senders;
  std::uint32_t prefixes;  // of each sender
  std::uint32_t receivers;
  bool same;  // all senders announce the same prefixes
};

class Stage {
 public:
  explicit Stage(const Load& load)
      : load_{load}, router_{{.asn = net::Asn{65000}, .router_id = net::RouterId{1}, .feed = RouteFeed::Off}, 7} {
    std::vector<NeighborConfig> neighbors;
    for (std::uint32_t i = 0; i < load.senders + load.receivers; ++i) {
      speakers_.push_back(
          std::make_unique<Speaker>(router_, SpeakerOptions{.name = "n" + std::to_string(i),
                                                            .asn = net::Asn{65001 + i},
                                                            .id = net::RouterId{0x0a000100 + i},
                                                            .address = net::Ipv4Address{0x0a000100 + i}}));
      neighbors.push_back(speakers_.back()->neighbor());
    }
    router_.configure(router_.config(), neighbors, start_time);
    for (auto& speaker : speakers_) speaker->establish();
    for (std::uint32_t i = 0; i < load.senders; ++i)
      feeds_.push_back(feed(*speakers_[i], load.same ? 0 : i * load.prefixes, load.prefixes, i));
    drain();
  }

  // Reads of all senders in turn, then what every peer can take: as an event loop does it.
  void run() {
    for (std::size_t piece = 0;; ++piece) {
      bool any = false;
      for (std::uint32_t i = 0; i < load_.senders; ++i) {
        if (piece >= feeds_[i].size()) continue;
        any = true;
        speakers_[i]->say(feeds_[i][piece]);
      }
      drain();
      if (!any) return;
    }
  }
  void drop_sender() {
    speakers_[0]->hang_up();
    while (router_.work()) {
      const auto begin = std::chrono::steady_clock::now();
      drain();
      longest_ = std::max(longest_, std::chrono::steady_clock::now() - begin);
    }
    drain();
  }

  std::size_t sent() const { return sent_; }
  std::size_t paths() const { return router_.table().ipv4_paths; }
  std::size_t table_bytes() const { return router_.table().bytes; }

 private:
  void drain() {
    (void)router_.take_actions();
    for (bool busy = true; busy;) {
      busy = false;
      for (auto& speaker : speakers_) {
        if (!speaker->link()) continue;
        for (bool more = true; more;) {
          buffer_.clear();
          more = router_.pull(*speaker->link(), buffer_, 65536);
          busy = busy || !buffer_.empty();
          sent_ += buffer_.size();
        }
      }
    }
  }

  Load load_;
  Router router_;
  std::vector<std::unique_ptr<Speaker>> speakers_;
  std::vector<std::vector<std::vector<std::uint8_t>>> feeds_;
  std::vector<std::uint8_t> buffer_;
  std::size_t sent_ = 0;
  std::chrono::steady_clock::duration longest_{};
};

void converge(benchmark::State& state, Load load) {
  for (auto _ : state) {
    state.PauseTiming();
    Stage stage{load};
    const auto before = heap_bytes();
    state.ResumeTiming();
    stage.run();
    state.PauseTiming();
    state.counters["bytes/path"] = static_cast<double>(heap_bytes() - before) / static_cast<double>(stage.paths());
    state.counters["table MiB"] = static_cast<double>(stage.table_bytes()) / (1 << 20);
    state.counters["sent MB"] = static_cast<double>(stage.sent()) / 1e6;
    state.ResumeTiming();
  }
  state.counters["prefixes/s"] =
      benchmark::Counter(static_cast<double>(load.senders) * load.prefixes * static_cast<double>(state.iterations()),
                         benchmark::Counter::kIsRate);
}

void lose_session(benchmark::State& state, Load load) {
  for (auto _ : state) {
    state.PauseTiming();
    auto stage = std::make_unique<Stage>(load);
    stage->run();
    state.ResumeTiming();
    stage->drop_sender();
    state.PauseTiming();
    stage.reset();
    state.ResumeTiming();
  }
}

BENCHMARK_CAPTURE(converge, 1_sender_100k, (Load{1, 100000, 1, false}))->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(converge, 10_senders_same_100k, (Load{10, 100000, 1, true}))->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(converge, 1_sender_1M, (Load{1, 1000000, 1, false}))->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(converge, 30_by_10k_all_to_all, (Load{30, 10000, 1, false}))->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(converge, 10_by_10k_to_50, (Load{10, 10000, 50, false}))->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(lose_session, of_1M, (Load{1, 1000000, 1, false}))->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace bgp

BENCHMARK_MAIN();
