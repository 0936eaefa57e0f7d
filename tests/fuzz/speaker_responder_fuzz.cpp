// SPDX-License-Identifier: Apache-2.0
// The responder under frames from anybody: an answer is a frame that its own decoder takes, sent from the
// address asked for, on the link asked. Input: one byte that picks the link, then the frame.
#include <cstdlib>

#include "speaker/layer2/responder.hpp"

namespace {

void check(const speaker::L2Frame& answer, unsigned link) {
  const auto arp = speaker::decode_arp(answer.bytes());
  const auto ndp = speaker::decode_ndp(answer.bytes());
  if (answer.link != link || (!arp && !ndp)) std::abort();
  if (arp && arp->operation != speaker::Arp::Operation::Reply) std::abort();
  if (ndp && (ndp->type != speaker::Ndp::Type::Advertisement || ndp->source != ndp->target)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const net::TimePoint now{std::chrono::hours{1}};
  speaker::Responder responder;
  responder.update({{*net::parse_ip("192.0.2.10"), {2, 3}}, {*net::parse_ip("2001:db8::10"), {2}}},
                   {{2, {{{2, 0, 0, 0, 0, 2}}, 0}}, {3, {{{2, 0, 0, 0, 0, 3}}, 0}}}, now);
  const unsigned link = 1 + data[0] % 4;
  const auto answer = responder.handle(link, {data + 1, size - 1}, now);
  if (answer) check(*answer, link);
  if (responder.tick(now).size() != 5) std::abort();  // two forms on two links, and one advertisement
  return 0;
}
