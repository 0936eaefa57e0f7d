// SPDX-License-Identifier: Apache-2.0
// Writes files on a thread of its own, so that a slow disk holds up nobody. What waits is bounded by whoever asks
// waiting() before append(). Knows nothing of what is in the files.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>

namespace speaker {

class FileWriter {
 public:
  explicit FileWriter(boost::asio::io_context& io);
  // Writes what waits first.
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  // Appends to the file, which is made when it is not there.
  void append(const std::string& path, std::vector<std::uint8_t> bytes);
  // Nothing more comes. With `name` the file gets it, so that nobody sees the file before it is whole; a file that did
  // not become whole goes, as does one that is to be discarded. Of the files in
  // its folder that begin as `sort` does and end in ".mrt", only the `keep` latest by name stay; 0: all. Then `done` is
  // called on the io_context, with what went wrong first, or nothing.
  enum class Fate : std::uint8_t { Kept, Discarded };
  struct End {
    Fate fate = Fate::Kept;
    std::string name;
    std::string sort;
    std::size_t keep = 0;
    std::function<void(const std::string& error)> done;
  };
  void finish(const std::string& path, End end);
  [[nodiscard]] std::size_t waiting() const { return waiting_; }  // octets
  // The last thing that went wrong; empty again when something was written.
  [[nodiscard]] std::string trouble() const;

 private:
  struct Job {
    std::string path;
    std::vector<std::uint8_t> bytes;
    bool last = false;
    End end;
  };
  struct File {
    int descriptor = -1;
    std::string error;
  };
  void put(Job job);
  void run();
  void write(const Job& job);
  void close(Job& job);
  void say(const std::string& trouble);

  boost::asio::io_context& io_;
  std::map<std::string, File> files_;  // of the thread
  mutable std::mutex mutex_;           // of what follows
  std::condition_variable more_;
  std::deque<Job> jobs_;
  std::string trouble_;
  bool stopping_ = false;
  std::atomic<std::size_t> waiting_ = 0;
  std::thread thread_;
};

}  // namespace speaker
