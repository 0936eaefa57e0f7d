// SPDX-License-Identifier: Apache-2.0
#include "speaker/layer2/solicited_groups.hpp"

#include <cerrno>
#include <cstring>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace speaker {
namespace {

ipv6_mreq request_of(const SolicitedGroups::Membership& membership) {
  ipv6_mreq request{};
  std::memcpy(&request.ipv6mr_multiaddr, membership.second.octets.data(), membership.second.octets.size());
  request.ipv6mr_interface = membership.first;
  return request;
}

}  // namespace

SolicitedGroups::~SolicitedGroups() {
  for (const auto socket : sockets_) ::close(socket);  // leaves its groups
}

std::vector<SolicitedGroups::Failure> SolicitedGroups::update(const std::set<Membership>& wanted) {
  for (auto at = joined_.begin(); at != joined_.end();) {
    if (wanted.contains(at->first)) {
      ++at;
      continue;
    }
    leave(at->first, at->second);
    at = joined_.erase(at);
  }
  std::vector<Failure> failures;
  for (const auto& membership : wanted) {
    if (joined_.contains(membership)) continue;
    if (const auto error = join(membership)) failures.push_back({membership.first, error});
  }
  return failures;
}

void SolicitedGroups::leave(unsigned link) {
  std::erase_if(joined_, [&](const auto& entry) {
    if (entry.first.first != link) return false;
    leave(entry.first, entry.second);
    return true;
  });
}

std::error_code SolicitedGroups::join(const Membership& membership) {
  const auto request = request_of(membership);
  const auto try_join = [&](int socket) {
    return ::setsockopt(socket, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request) == 0;
  };
  if (!sockets_.empty()) {
    if (try_join(sockets_.back())) {
      joined_[membership] = sockets_.back();
      return {};
    }
    // One socket may hold only so many groups; anything else is not mended by another socket.
    if (errno != ENOMEM && errno != ENOBUFS) return {errno, std::system_category()};
  }
  const auto socket = ::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return {errno, std::system_category()};
  sockets_.push_back(socket);
  if (!try_join(socket)) return {errno, std::system_category()};
  joined_[membership] = socket;
  return {};
}

void SolicitedGroups::leave(const Membership& membership, int socket) {
  // Fails when the interface is gone, and the membership with it.
  const auto request = request_of(membership);
  ::setsockopt(socket, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &request, sizeof request);
}

}  // namespace speaker
