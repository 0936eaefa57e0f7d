// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/bgp/blast/phases.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace blast {
namespace {

using nlohmann::json;

constexpr Seconds sampling_step{0.25};
constexpr Seconds probe_timeout{60};
constexpr std::chrono::milliseconds patience{20};

double rounded(Seconds value, double step = 1e-4) {
  return std::round(value.count() / step) * step;
}

// The daemon is busy while it uses more than a tenth of a processor.
class Busy {
 public:
  explicit Busy(const std::vector<int>& pids) : pids_{pids}, used_{processor_time(pids)} {}
  Seconds until(Seconds time) {
    if (time - looked_ < sampling_step) return until_;
    const auto used = processor_time(pids_);
    if (used - used_ > 0.1 * (time - looked_) + Seconds{0.005}) until_ = time;
    used_ = used;
    looked_ = time;
    return until_;
  }

 private:
  const std::vector<int>& pids_;
  Seconds used_;
  Seconds looked_ = now();
  Seconds until_ = looked_;
};

json quantiles(std::vector<double> values) {
  std::ranges::sort(values);
  const auto at = [&](double share) {
    return values.empty()
               ? -1.0
               : std::round(values[std::min(values.size() - 1,
                                            static_cast<std::size_t>(share * static_cast<double>(values.size())))]);
  };
  return {{"n", values.size()}, {"min_us", at(0)},    {"p50_us", at(0.5)},
          {"p90_us", at(0.9)},  {"p99_us", at(0.99)}, {"max_us", at(1)}};
}

}  // namespace

bool Run::establish() {
  const auto& options = scenario_.options();
  // From the first byte on: UPDATEs can come with the KEEPALIVE that makes the session Established.
  if (options.mode == Mode::Monitor)
    blaster_.on_prefix = [family = options.family](Seconds at, const Peer& peer, Change change, Prefix prefix) {
      std::printf("%.6f %u %c %s\n", at.count(), peer.id, change == Change::Announced ? '+' : '-',
                  print(prefix, family).c_str());
    };
  const auto begun = now();
  while (!blaster_.all_established() && now() - begun < options.connect_timeout)
    blaster_.pump(std::chrono::milliseconds{5});
  unsigned up = 0;
  Seconds last{};
  for (const auto& peer : blaster_.peers()) {
    up += peer.state == State::Established;
    last = std::max(last, peer.established_at);
  }
  report_["peers"] = blaster_.peers().size();
  report_["established"] = up;
  report_["t_established_mono"] = last.count();
  if (up < blaster_.peers().size()) return false;
  if (options.mode == Mode::Monitor) return true;
  blaster_.pump_until(now() + options.settle);
  report_["idle_rss_kb"] = memory(options.pids, Memory::Resident);
  if (options.fib_pid != 0) fib_at_start_ = fib_size(options.fib_pid, options.family);
  return true;
}

void Run::announce() {
  // All is encoded before the clock starts.
  std::vector<std::vector<std::uint8_t>> bulk(scenario_.options().senders);
  for (unsigned sender = 0; sender < bulk.size(); ++sender) {
    if (!scenario_.announces(sender)) continue;
    write_prefixes(scenario_, sender, scenario_.options().prefixes, Path::Usual, bulk[sender]);
    UpdateWriter{scenario_, sender, bulk[sender]}.end_of_rib();
  }
  phase(
      "announce",
      [&] {
        for (unsigned sender = 0; sender < bulk.size(); ++sender) {
          auto& peer = blaster_.peers()[sender];
          peer.out.swap(bulk[sender]);
          blaster_.flush(peer);
        }
      },
      Fib{fib_at_start_ + scenario_.wanted(), FibWatch::Direction::Filling});
}

void Run::flap() {
  const auto count = scenario_.options().flap;
  std::vector<std::uint8_t> bytes;
  write_prefixes(scenario_, 0, count, Path::Longer, bytes);
  scenario_.flap(count);
  scenario_.settle();
  phase(
      "flap", [&] { send(blaster_.peers()[0], bytes); }, std::nullopt);
}

void Run::lose_sender() {
  scenario_.lose_first_sender();
  scenario_.settle();
  std::optional<Fib> fib;
  if (scenario_.options().fib_down) fib = Fib{fib_at_start_ + scenario_.wanted(), FibWatch::Direction::Emptying};
  phase(
      "down", [&] { blaster_.close(blaster_.peers()[0]); }, fib);
}

// Runs until every receiver has converged and stayed so, it has been quiet, the DUT is idle, and the kernel's table has
// the size it should have, where that is asked for; or until the time is up.
void Run::phase(const char* name, const std::function<void()>& start, std::optional<Fib> fib) {
  const auto& options = scenario_.options();
  for (auto& peer : blaster_.peers())
    if (peer.receiver) peer.view.recount();
  auto& counters = blaster_.counters() = {};
  const auto processor = processor_time(options.pids);
  const auto own = own_processor_time();
  const auto machine = machine_busy_time();
  const auto begun = now();
  Busy busy{options.pids};
  Seconds present{-1}, converged{-1}, sent{-1};
  bool timed_out = false;
  start();
  std::optional<FibWatch> watch;
  if (fib && options.fib_pid != 0) watch.emplace(options.fib_pid, options.family, fib->target, fib->direction);
  while (true) {
    blaster_.pump(patience);
    const auto time = now();
    if (sent.count() < 0 && blaster_.all_sent()) sent = time;
    if (present.count() < 0 &&
        blaster_.every_receiver([&](const View& view) { return view.present() == scenario_.wanted(); }))
      present = time;
    const bool right = blaster_.every_receiver([&](const View& view) { return view.right() == scenario_.expected(); });
    if (!right) converged = Seconds{-1};  // best paths can go astray once more
    if (right && converged.count() < 0) converged = time;
    const auto last = std::max({begun, counters.last, busy.until(time)});
    if (right && (!watch || watch->reached()) && sent.count() >= 0 && time - last >= options.quiet) break;
    timed_out = time - begun > options.timeout;
    if (timed_out) break;
  }
  std::uint32_t least = scenario_.expected();
  for (const auto& peer : blaster_.peers())
    if (peer.receiver) least = std::min(least, peer.view.right());
  const auto since = [&](Seconds time) { return time.count() < 0 ? -1 : rounded(time - begun); };
  report_[name] = {{"t_first", since(counters.first)},
                   {"t_all_present", since(present)},
                   {"t_converged", since(converged)},
                   {"t_last_update", since(counters.last)},
                   {"t_sent", since(sent)},
                   {"t_fib", watch && watch->reached() ? since(*watch->reached()) : -1},
                   {"fib_seen", watch ? watch->seen() : -1},
                   {"rx_updates", counters.updates},
                   {"rx_bytes", counters.bytes},
                   {"rx_announced", counters.announced},
                   {"rx_withdrawn", counters.withdrawn},
                   {"rx_unknown", counters.unknown},
                   {"min_right", least},
                   {"expected", scenario_.expected()},
                   {"dut_cpu", rounded(processor_time(options.pids) - processor)},
                   {"own_cpu", rounded(own_processor_time() - own)},
                   {"machine_cpu", rounded(machine_busy_time() - machine)},
                   {"dut_peak_kb", memory(options.pids, Memory::Peak)},
                   {"dut_rss_kb", memory(options.pids, Memory::Resident)},
                   {"peers_lost", blaster_.lost()},
                   {"timeout", timed_out}};
  if (options.verbose) std::fprintf(stderr, "bgp_blast: %s: %s\n", name, timed_out ? "time is up" : "done");
}

void Run::send(Peer& peer, const std::vector<std::uint8_t>& bytes) {
  peer.out.insert(peer.out.end(), bytes.begin(), bytes.end());
  blaster_.flush(peer);
}

// The second sender's whole table again, with other paths, as soon as the last one is on its way.
void Run::keep_loading() {
  auto& sender = blaster_.peers()[1];
  if (sender.state != State::Established || !sender.all_sent()) return;
  sender.out = loads_[next_load_];
  next_load_ = 1 - next_load_;
  blaster_.flush(sender);
}

void Run::probe() {
  const auto& options = scenario_.options();
  const bool loading = options.probing == Probing::WhileLoading;
  if (loading) {
    write_prefixes(scenario_, 1, options.prefixes, Path::Longer, loads_[0]);
    write_prefixes(scenario_, 1, options.prefixes, Path::Usual, loads_[1]);
  }
  std::uint32_t awaited = 0;
  auto awaited_change = Change::Announced;
  Seconds seen{-1};
  blaster_.on_probe = [&](std::uint32_t index, Change change, Seconds at) {
    if (index == awaited && change == awaited_change && seen.count() < 0) seen = at;
  };
  std::array<std::vector<double>, 2> took;  // microseconds, by change
  unsigned missed = 0;
  const auto processor = processor_time(options.pids);
  const auto stolen = stolen_time();
  const auto begun_at = now();
  std::vector<std::uint8_t> bytes;
  for (std::uint32_t n = 0; n < options.probes && missed < 3; ++n) {
    awaited = scenario_.expected() + n;
    for (const auto change : {Change::Announced, Change::Withdrawn}) {
      for (const auto until = now() + options.probe_gap; now() < until;) {
        if (loading) keep_loading();
        blaster_.pump(std::chrono::milliseconds{1});
      }
      const auto prefix = scenario_.prefixes()[awaited];
      bytes.clear();
      UpdateWriter writer{scenario_, 0, bytes};
      if (change == Change::Announced)
        writer.announce(n, {&prefix, 1}, Path::Usual);
      else
        writer.withdraw(prefix);
      awaited_change = change;
      seen = Seconds{-1};
      const auto begun = now();
      send(blaster_.peers()[0], bytes);
      while (seen.count() < 0 && now() - begun < probe_timeout) {
        if (loading) keep_loading();
        blaster_.pump(patience);
      }
      if (seen.count() < 0)
        ++missed;
      else
        took[static_cast<std::size_t>(change)].push_back((seen - begun).count() * 1e6);
    }
  }
  blaster_.on_probe = nullptr;
  report_["latency_announce"] = quantiles(took[0]);
  report_["latency_withdraw"] = quantiles(took[1]);
  report_["latency_missed"] = missed;
  report_["latency_stolen"] = (stolen_time() - stolen) / (now() - begun_at);
  report_["latency_dut_cpu"] = rounded(processor_time(options.pids) - processor);
}

void Run::keep() {
  while (true) {
    std::fflush(stdout);
    blaster_.pump(std::chrono::seconds{1});
  }
}

}  // namespace blast
