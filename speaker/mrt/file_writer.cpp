// SPDX-License-Identifier: Apache-2.0
#include "speaker/mrt/file_writer.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <span>
#include <system_error>

#include <boost/asio/post.hpp>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

namespace speaker {
namespace {

std::string last_error(const std::string& path) {
  return path + ": " + std::generic_category().message(errno);
}

void prune(const std::string& path, const std::string& sort, std::size_t keep) {
  namespace fs = std::filesystem;
  if (keep == 0) return;
  std::vector<fs::path> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator{fs::path{path}.parent_path(), error}) {
    const auto name = entry.path().filename().string();
    if (name.starts_with(sort) && name.ends_with(".mrt")) found.push_back(entry.path());
  }
  if (found.size() <= keep) return;
  std::ranges::sort(found);
  for (const auto& old : std::span{found}.first(found.size() - keep)) fs::remove(old, error);
}

}  // namespace

FileWriter::FileWriter(boost::asio::io_context& io) : io_{io} {
  // Signals are for the loop.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread{[this] { run(); }};
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

FileWriter::~FileWriter() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  more_.notify_one();
  thread_.join();
  for (const auto& [path, file] : files_) {
    if (file.descriptor >= 0) ::close(file.descriptor);
  }
}

void FileWriter::append(const std::string& path, std::vector<std::uint8_t> bytes, Gaps gaps) {
  put({path, std::move(bytes), gaps, false, {}});
}

void FileWriter::finish(const std::string& path, End end) {
  put({path, {}, Gaps::Refused, true, std::move(end)});
}

void FileWriter::put(Job job) {
  waiting_ += job.bytes.size();
  {
    const std::lock_guard lock{mutex_};
    jobs_.push_back(std::move(job));
  }
  more_.notify_one();
}

std::string FileWriter::trouble() const {
  const std::lock_guard lock{mutex_};
  return trouble_;
}

void FileWriter::say(const std::string& trouble) {
  const std::lock_guard lock{mutex_};
  trouble_ = trouble;
}

void FileWriter::run() {
  for (;;) {
    std::unique_lock lock{mutex_};
    more_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    if (job.last)
      close(job);
    else
      write(job);
    waiting_ -= job.bytes.size();
  }
}

void FileWriter::write(const Job& job) {
  auto& file = files_[job.path];
  // A record that was cut by a full disk cannot be followed by others: such a file is over in any case.
  if (!file.error.empty() && (job.gaps == Gaps::Refused || file.descriptor >= 0)) return say(file.error);
  file.error.clear();
  if (file.descriptor < 0) file.descriptor = ::open(job.path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  std::span<const std::uint8_t> rest{job.bytes};
  while (file.descriptor >= 0 && !rest.empty()) {
    const auto size = ::write(file.descriptor, rest.data(), rest.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) break;
    rest = rest.subspan(static_cast<std::size_t>(size));
  }
  if (!rest.empty()) file.error = last_error(job.path);
  say(file.error);
}

void FileWriter::close(Job& job) {
  auto file = files_[job.path];
  files_.erase(job.path);
  if (file.descriptor >= 0 && ::close(file.descriptor) != 0 && file.error.empty()) file.error = last_error(job.path);
  if (!job.end.name.empty() && file.error.empty() && ::rename(job.path.c_str(), job.end.name.c_str()) != 0)
    file.error = last_error(job.end.name);
  if (job.end.fate == Fate::Discarded || (!job.end.name.empty() && !file.error.empty())) ::unlink(job.path.c_str());
  prune(job.path, job.end.sort, job.end.keep);
  if (job.end.done) boost::asio::post(io_, [done = job.end.done, error = file.error] { done(error); });
}

}  // namespace speaker
