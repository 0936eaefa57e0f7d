// SPDX-License-Identifier: Apache-2.0
// UPDATE: decoding with RFC 7606 error handling, and encoding. Decoding copies no prefix: NLRI stay
// views into the message, checked once and then walked with for_each_route().
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "bgp/wire/attributes.hpp"
#include "bgp/wire/message.hpp"
#include "bgp/wire/nlri.hpp"
#include "net/prefix.hpp"

namespace bgp {

// Confederation: of another member AS of this router's confederation (RFC 5065).
enum class PeerType : std::uint8_t { External, Internal, Confederation };
enum class AsnWidth : std::uint8_t { TwoOctets, FourOctets };

// What the session negotiated, as far as it changes the reading of an UPDATE.
struct UpdateContext {
  PeerType peer = PeerType::External;
  AsnWidth asn_width = AsnWidth::FourOctets;
  Families families{true, true};
  net::Asn peer_asn;             // for "leftmost AS is the peer's", RFC 4271 section 6.3
  bool enforce_first_as = true;  // external peers only
  bool ipv4_over_ipv6 = false;   // RFC 8950: IPv4 prefixes may have IPv6 next hops
  Families path_ids{};           // prefixes of these have path identifiers (RFC 7911)
  bool aigp = false;             // AIGP is read; else it is ignored as if it were unknown (RFC 7311 section 3.3)
};

// One thing that was wrong with an attribute and what was done about it (RFC 7606 section 2, weakest first).
enum class FaultAction : std::uint8_t { Discard, TreatAsWithdraw };
struct AttributeFault {
  std::uint8_t type{};  // 0: the attribute section as a whole
  FaultAction action{};
  const char* reason = "";  // static text, for the log
};

// Prefixes of one unicast family as they stand in the message; already checked.
struct NlriRun {
  net::Family family{};
  std::span<const std::uint8_t> bytes;
  bool path_ids = false;
  [[nodiscard]] bool empty() const { return bytes.empty(); }
};

// Calls visit(prefix, path identifier) for each prefix of a run, whose family is that of `Prefix`; the identifier is 0
// where there are none.
template <class Prefix, class Visit>
void for_each_route(const NlriRun& run, Visit&& visit) {
  if (run.path_ids) return for_each_path<Prefix>(run.bytes, visit);
  for_each_prefix<Prefix>(run.bytes, [&](const Prefix& prefix) { visit(prefix, std::uint32_t{0}); });
}
// The same for a run of either family: visit(net::Prefix, path identifier).
template <class Visit>
void for_each_route(const NlriRun& run, Visit&& visit) {
  const auto any = [&](const auto& prefix, std::uint32_t id) { visit(net::Prefix{prefix}, id); };
  if (run.family == net::Family::Ipv4)
    for_each_route<net::Ipv4Prefix>(run, any);
  else
    for_each_route<net::Ipv6Prefix>(run, any);
}

// One message holds at most two runs of either kind: those of RFC 4271 and those of RFC 4760.
class NlriRuns {
 public:
  void push_back(const NlriRun& run) { runs_[size_++] = run; }  // precondition: there is room
  [[nodiscard]] const NlriRun* begin() const { return runs_.data(); }
  [[nodiscard]] const NlriRun* end() const { return runs_.data() + size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const NlriRun& operator[](std::size_t index) const { return runs_[index]; }

 private:
  std::array<NlriRun, 2> runs_{};
  std::size_t size_ = 0;
};

struct Update {
  NlriRuns withdrawn;  // from the withdrawn field and MP_UNREACH_NLRI
  NlriRuns reachable;  // from the NLRI field and MP_REACH_NLRI
  // Next hop per family of `reachable`: the NEXT_HOP attribute and MP_REACH_NLRI's.
  NextHop next_hop_ipv4;
  NextHop next_hop_ipv6;
  // Everything else. next_hop is left default: see above.
  PathAttributes attributes;
  std::vector<AttributeFault> faults;
  // RFC 7606: the prefixes in `reachable` must be handled as withdrawn.
  bool treat_as_withdraw = false;
  std::optional<net::Family> end_of_rib;  // RFC 4724 section 2
};

// The body of an UPDATE message; the runs of the answer point into it. A Notification is returned only
// where RFC 7606 demands a reset. Families that were not negotiated are ignored (no run is produced).
[[nodiscard]] Decoded<Update> decode_update(std::span<const std::uint8_t> body, const UpdateContext& context);

// The prefixes of a run are walked with for_each_route().

struct EncodeContext {
  PeerType peer = PeerType::External;
  AsnWidth asn_width = AsnWidth::FourOctets;
  std::size_t limit = max_message_size;
};

// The attribute section but MP_REACH_NLRI, MP_UNREACH_NLRI and, where the next hop is an IPv6 one, NEXT_HOP: ascending
// type codes, canonical flags and lengths. AS4_PATH and AS4_AGGREGATOR are added for a two-octet peer that needs them
// (RFC 6793 section 4.2.2). LOCAL_PREF, ORIGINATOR_ID and CLUSTER_LIST are written for internal peers
// only; an internal peer requires LOCAL_PREF, so export rules set it.
void encode_attributes(const PathAttributes& attributes, net::Family family, const EncodeContext& context,
                       std::vector<std::uint8_t>& out);

// Whether each attribute is short enough for its length field, with AS numbers of four octets (RFC 4271 section 4.3)
// and room for what a router adds of its own. Longer ones must not be encoded: no message can hold them.
[[nodiscard]] bool encodable(const PathAttributes& attributes);

// The reverse of encode_attributes for canonical four-octet bytes that this speaker wrote itself.
[[nodiscard]] PathAttributes decode_canonical_attributes(std::span<const std::uint8_t> bytes);

// Appends one whole UPDATE to `out` and returns how many of `prefixes` fitted into `limit` octets. When not
// even one fits beside the attributes, nothing is appended and the answer is 0: the route cannot be told
// to this peer and is unreachable to it (RFC 8654 section 4). attribute_bytes comes from encode_attributes;
// with an IPv6 `next_hop` the prefixes go into MP_REACH_NLRI with it. With a path identifier it stands before each
// prefix.
using PathId = std::optional<std::uint32_t>;
template <class Prefix>
std::size_t encode_reachable(std::span<const std::uint8_t> attribute_bytes, const NextHop& next_hop,
                             std::span<const Prefix> prefixes, std::size_t limit, std::vector<std::uint8_t>& out,
                             PathId path_id = std::nullopt);
template <class Prefix>
std::size_t encode_withdrawn(std::span<const Prefix> prefixes, std::size_t limit, std::vector<std::uint8_t>& out,
                             PathId path_id = std::nullopt);
void encode_end_of_rib(net::Family family, std::vector<std::uint8_t>& out);

}  // namespace bgp
