// SPDX-License-Identifier: Apache-2.0
// What all RPKI caches together say, kept for the router.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "speaker/rpki/cache_client.hpp"
#include "speaker/rpki/paced.hpp"

namespace speaker {

class RpkiSide {
 public:
  using Moved = std::function<void(const CacheClient&)>;
  // `changed` is called when routes may validate differently, `moved` as CacheClient says.
  // Whatever a cache does, routes are not judged anew more often than every five seconds: that costs an UPDATE for each
  // of a neighbour's routes.
  RpkiSide(boost::asio::io_context& io, std::function<void()> changed, Moved moved)
      : io_{io}, changed_{io, std::chrono::seconds{5}, std::move(changed)}, moved_{std::move(moved)} {}
  ~RpkiSide();
  RpkiSide(const RpkiSide&) = delete;
  RpkiSide& operator=(const RpkiSide&) = delete;

  // Exactly these caches; what one said that is not among them is forgotten.
  void configure(const std::vector<RpkiCache>& caches);
  [[nodiscard]] const bgp::RoaTable& table() const { return table_; }
  [[nodiscard]] std::vector<const CacheClient*> caches() const;

 private:
  struct Entry {
    std::uint32_t number = 0;
    std::shared_ptr<CacheClient> client;
  };
  boost::asio::io_context& io_;
  Paced changed_;
  Moved moved_;
  bgp::RoaTable table_;
  std::map<RpkiCache, Entry> clients_;
  std::uint32_t next_number_ = 1;
};

}  // namespace speaker
