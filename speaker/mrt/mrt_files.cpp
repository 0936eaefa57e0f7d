// SPDX-License-Identifier: Apache-2.0
#include "speaker/mrt/mrt_files.hpp"

#include <array>
#include <ctime>

#include <boost/asio/post.hpp>

#include "speaker/wall_clock.hpp"

namespace speaker {
namespace {

// Prefixes for one turn, well under a millisecond.
constexpr std::size_t piece_prefixes = 256;
// Octets that may wait for the disk: of tables, which then wait themselves; and of updates, which then are lost.
constexpr std::size_t table_backlog = 8 << 20;
constexpr std::size_t updates_backlog = 64 << 20;
// Records are handed to the writer when so many octets wait, or so long after the first.
constexpr std::size_t flush_size = 64 << 10;
constexpr net::Milliseconds flush_after{200};
constexpr net::Milliseconds disk_pause{10};

// "rib.20261125.170501.mrt", UTC.
std::string name_of(const std::string& directory, const std::string& sort, bgp::WallTime time) {
  const std::time_t seconds = time.seconds;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const auto size = std::strftime(text.data(), text.size(), "%Y%m%d.%H%M%S", &parts);
  return directory + "/" + sort + std::string{text.data(), size} + ".mrt";
}

constexpr auto tables = "rib.";
constexpr auto updates = "updates.";

}  // namespace

MrtFiles::MrtFiles(boost::asio::io_context& io, bgp::Router& router, MrtConfig config,
                   std::function<void(const std::string&)> report)
    : io_{io},
      router_{router},
      config_{std::move(config)},
      report_{std::move(report)},
      writer_{io},
      piece_{io},
      interval_{io},
      rotation_{io},
      flush_{io} {
  if (config_.updates) {
    log_ = std::make_unique<bgp::mrt::UpdateLog>(router_);
    status_.updates_file = name_of(config_.directory, updates, wall_now());
    rotate_later();
  }
  dump_later();
}

MrtFiles::~MrtFiles() {
  *self_ = nullptr;
  flush();
  if (table_) writer_.finish(status_.table_file + ".part", {FileWriter::Fate::Discarded, {}, {}, 0, nullptr});
}

// ---- tables -----------------------------------------------------------------------------------------

net::Result<std::string, std::string> MrtFiles::dump() {
  if (table_) return net::fail(status_.table_file + " is being written");
  const auto now = wall_now();
  table_ = std::make_unique<bgp::mrt::TableWriter>(router_, now, net::Clock::now());
  status_.table_file = name_of(config_.directory, tables, now);
  status_.table_prefixes = 0;
  status_.table_error.clear();
  status_.dumping = true;
  boost::asio::post(io_, [self = self_] {
    if (*self != nullptr) (*self)->dump_piece();
  });
  return status_.table_file;
}

void MrtFiles::dump_piece() {
  const auto go_on = [self = self_](const boost::system::error_code& error) {
    if (!error && *self != nullptr) (*self)->dump_piece();
  };
  if (writer_.waiting() > table_backlog) {
    piece_.expires_after(disk_pause);
    return piece_.async_wait(go_on);
  }
  std::vector<std::uint8_t> bytes;
  const bool more = table_->next(bytes, piece_prefixes);
  status_.table_prefixes = table_->prefixes();
  const auto part = status_.table_file + ".part";
  if (!bytes.empty()) writer_.append(part, std::move(bytes));
  if (more) return boost::asio::post(io_, [go_on] { go_on({}); });
  table_.reset();
  const auto done = [self = self_](const std::string& error) {
    if (*self == nullptr) return;
    auto& files = **self;
    files.status_.dumping = false;
    files.status_.table_error = error;
    if (error.empty())
      ++files.status_.tables;
    else
      files.report_(error);
  };
  writer_.finish(part, {FileWriter::Fate::Kept, status_.table_file, tables, config_.keep, done});
}

void MrtFiles::dump_later() {
  if (config_.rib_interval == net::Seconds{0}) return;
  interval_.expires_after(config_.rib_interval);
  interval_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    if (!table_ && !status_.dumping) (void)dump();
    dump_later();
  });
}

// ---- updates ----------------------------------------------------------------------------------------

void MrtFiles::rotate_later() {
  rotation_.expires_after(config_.rotation);
  rotation_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    flush();
    next_updates_file();
    rotate_later();
  });
}

void MrtFiles::next_updates_file() {
  auto next = name_of(config_.directory, updates, wall_now());
  if (next == status_.updates_file) return;
  writer_.finish(status_.updates_file, {FileWriter::Fate::Kept, {}, updates, config_.keep, nullptr});
  status_.updates_file = std::move(next);
}

void MrtFiles::pump() {
  if (!log_ || log_->waiting() == 0) return;
  if (log_->waiting() >= flush_size) return flush();
  if (std::exchange(flush_armed_, true)) return;
  flush_.expires_after(flush_after);
  flush_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    flush_armed_ = false;
    flush();
  });
}

void MrtFiles::flush() {
  if (!log_ || log_->waiting() == 0) return;
  auto bytes = log_->take();
  // A file that could not be written stays as it is; the next one may fare better.
  auto trouble = writer_.trouble();
  if (!trouble.empty()) next_updates_file();
  if (trouble != told_ && !trouble.empty()) report_(trouble);
  told_ = std::move(trouble);
  if (writer_.waiting() > updates_backlog) {
    if (status_.dropped_octets == 0) report_("the disk is too slow for " + config_.directory + ": updates are lost");
    status_.dropped_octets += bytes.size();
    return;
  }
  writer_.append(status_.updates_file, std::move(bytes));
}

MrtStatus MrtFiles::status() const {
  auto status = status_;
  status.config = config_;
  status.trouble = writer_.trouble();
  if (log_) status.records = log_->records();
  return status;
}

}  // namespace speaker
