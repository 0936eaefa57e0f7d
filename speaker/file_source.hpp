// SPDX-License-Identifier: Apache-2.0
// Resources from files: read at start, and again when a file changes or somebody asks. A set that cannot be read as a
// whole changes nothing.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "config/source/file_watcher.hpp"
#include "config/source/files.hpp"

namespace speaker {

class FileSource {
 public:
  using Changed = std::function<void(const config::Loaded&)>;
  using Refused = std::function<void(const std::vector<config::Problem>&)>;
  FileSource(boost::asio::io_context& io, std::vector<std::string> paths, std::string node, Changed changed,
             Refused refused);

  // The first load and every later one.
  void load();

 private:
  void wait();

  std::vector<std::string> paths_;
  std::string node_;
  Changed changed_;
  Refused refused_;
  config::FileWatcher watcher_;
  boost::asio::posix::stream_descriptor readable_;
  boost::asio::steady_timer settle_;
  config::Loaded loaded_;
  config::Loaded next_;
};

}  // namespace speaker
