// SPDX-License-Identifier: Apache-2.0
// MRT files of a router: its tables, when asked for and every so often, and what neighbours say, in files that follow
// each other.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "bgp/mrt/table_writer.hpp"
#include "bgp/mrt/update_log.hpp"
#include "bgp/router.hpp"
#include "net/result.hpp"
#include "net/time.hpp"
#include "speaker/mrt/file_writer.hpp"

namespace speaker {

struct MrtConfig {
  std::string directory;
  net::Seconds rib_interval{0};  // 0: when asked for only
  bool updates = false;
  net::Seconds rotation{900};
  std::size_t keep = 0;  // files of each sort; 0: all
  friend bool operator==(const MrtConfig&, const MrtConfig&) = default;
};

struct MrtStatus {
  MrtConfig config;
  bool dumping = false;
  // The last file of the tables that was begun.
  std::string table_file;
  std::uint32_t table_prefixes = 0;
  std::string table_error;   // empty: it is whole, or being written
  std::uint64_t tables = 0;  // whole files written
  std::string updates_file;
  std::uint64_t records = 0;         // of updates
  std::uint64_t dropped_octets = 0;  // of records, because the disk was too slow
  std::string trouble;
};

class MrtFiles {
 public:
  // `report` gets what goes wrong, once each.
  MrtFiles(boost::asio::io_context& io, bgp::Router& router, MrtConfig config,
           std::function<void(const std::string&)> report);
  ~MrtFiles();
  MrtFiles(const MrtFiles&) = delete;
  MrtFiles& operator=(const MrtFiles&) = delete;

  // Begins a file of the tables and answers with its name; the error says why not.
  net::Result<std::string, std::string> dump();
  // Nothing unless updates are written.
  [[nodiscard]] bgp::mrt::UpdateLog* log() { return log_.get(); }
  // After every turn in which the log was told something.
  void pump();

  [[nodiscard]] const MrtConfig& config() const { return config_; }
  [[nodiscard]] MrtStatus status() const;

 private:
  void dump_piece();
  void dump_later();
  void rotate_later();
  void next_updates_file();
  void flush();

  boost::asio::io_context& io_;
  bgp::Router& router_;
  MrtConfig config_;
  std::function<void(const std::string&)> report_;
  FileWriter writer_;
  boost::asio::steady_timer piece_;
  boost::asio::steady_timer interval_;
  boost::asio::steady_timer rotation_;
  boost::asio::steady_timer flush_;
  bool flush_armed_ = false;
  std::unique_ptr<bgp::mrt::TableWriter> table_;
  std::unique_ptr<bgp::mrt::UpdateLog> log_;
  MrtStatus status_;
  std::string told_;  // the trouble that was reported
  // What the writer calls back when this is gone.
  std::shared_ptr<MrtFiles*> self_ = std::make_shared<MrtFiles*>(this);
};

}  // namespace speaker
