// SPDX-License-Identifier: Apache-2.0
#include "ctl/control_socket.hpp"

#include <algorithm>
#include <system_error>
#include <vector>

#include "ctl/commands.hpp"

namespace ctl {

std::string only_control_socket(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::vector<std::string> sockets;
  std::error_code error;
  for (fs::directory_iterator entry{folder, error}; !error && entry != fs::directory_iterator{}; entry.increment(error))
    if (entry->is_socket(error)) sockets.push_back(entry->path().string());
  if (sockets.size() == 1) return "unix:" + sockets.front();
  constexpr auto ask = "which speaker? give --control unix:PATH, or set HERALD_CONTROL; ";
  if (sockets.empty()) throw Failure{ask + ("there is no socket in " + folder.string()), 2};
  std::ranges::sort(sockets);
  std::string all;
  for (const auto& socket : sockets) all += (all.empty() ? "" : ", ") + ("unix:" + socket);
  throw Failure{ask + ("there are " + all), 2};
}

}  // namespace ctl
