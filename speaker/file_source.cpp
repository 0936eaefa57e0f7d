// SPDX-License-Identifier: Apache-2.0
#include "speaker/file_source.hpp"

#include <unistd.h>

namespace speaker {

FileSource::FileSource(boost::asio::io_context& io, std::vector<std::string> paths, std::string node, Changed changed,
                       Refused refused)
    : paths_{std::move(paths)},
      node_{std::move(node)},
      changed_{std::move(changed)},
      refused_{std::move(refused)},
      watcher_{paths_},
      readable_{io, ::dup(watcher_.descriptor())},
      settle_{io} {
  wait();
}

void FileSource::load() {
  next_ = config::load(paths_, node_);
  if (!next_.readable) {
    refused_(next_.problems);
    return;
  }
  // The speaker looks at the set in use until it is told of the other.
  std::swap(loaded_, next_);
  changed_(loaded_);
}

void FileSource::wait() {
  readable_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [this](const boost::system::error_code& error) {
                         if (error) return;
                         settle_.expires_after(std::chrono::milliseconds{config::FileWatcher::settle_time_ms});
                         settle_.async_wait([this](const boost::system::error_code& cancelled) {
                           if (cancelled) return;
                           if (watcher_.changed()) load();
                           wait();
                         });
                       });
}

}  // namespace speaker
