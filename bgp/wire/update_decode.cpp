// SPDX-License-Identifier: Apache-2.0
// UPDATE messages by RFC 4271 section 6.3 as revised by RFC 7606. Sections are of RFC 7606 where none else
// is named.
#include <array>
#include <bitset>
#include <utility>

#include "bgp/wire/as_path_codec.hpp"
#include "bgp/wire/attribute_decode.hpp"
#include "bgp/wire/bytes.hpp"
#include "bgp/wire/update.hpp"

namespace bgp {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint8_t code(AttributeType type) {
  return static_cast<std::uint8_t>(type);
}

constexpr bool multiprotocol(std::uint8_t type) {
  return type == code(AttributeType::MpReach) || type == code(AttributeType::MpUnreach);
}

// RFC 4271 section 6.3: an address that no host can have. Which of the others is reachable is for the
// routing table to say.
bool host_address(net::Ipv4Address address) {
  constexpr net::Ipv4Address broadcast{0xffffffff};
  return address.value >> 24 != 0 && !address.loopback() && !address.multicast() && address != broadcast;
}
bool host_address(const net::IpAddress& address) {
  if (address.is_v4()) return host_address(address.v4());
  return !address.unspecified() && !address.loopback() && !address.multicast();
}

struct Fields {
  Bytes withdrawn;
  Bytes attributes;
  Bytes nlri;
};

// Section 4: NLRI begin where Total Attribute Length says, whatever is wrong among the attributes.
std::optional<Fields> split(Bytes body) {
  if (body.size() < 4) return std::nullopt;
  const std::size_t withdrawn = load_u16(body.data());
  if (body.size() < 4 + withdrawn) return std::nullopt;
  const std::size_t attributes = load_u16(body.data() + 2 + withdrawn);
  if (body.size() < 4 + withdrawn + attributes) return std::nullopt;
  return Fields{body.subspan(2, withdrawn), body.subspan(4 + withdrawn, attributes),
                body.subspan(4 + withdrawn + attributes)};
}

class UpdateDecoder {
 public:
  UpdateDecoder(const UpdateContext& context, Update& out)
      : context_{context}, out_{out}, values_{out.attributes, {}, {}} {}

  // The reset that the message demands, if any.
  std::optional<Notification> decode(Bytes body) {
    const auto fields = split(body);
    if (!fields) return update_error(UpdateError::MalformedAttributeList);  // section 3 a
    if (!well_formed(net::Family::Ipv4, fields->withdrawn) ||
        !well_formed(net::Family::Ipv4, fields->nlri))  // section 5.3
      return update_error(UpdateError::InvalidNetwork);

    add_run(out_.withdrawn, ipv4_unicast, fields->withdrawn);
    if (auto error = decode_section(fields->attributes)) return error;
    add_run(out_.reachable, ipv4_unicast, fields->nlri);
    reachable_seen_ = reachable_seen_ || !fields->nlri.empty();
    recognise_end_of_rib(*fields);

    move_next_hop();
    merge_two_octet_path();
    check_completeness(*fields);
    check_first_as();
    // Section 5.2: without reachable prefixes nobody knows whether the prefixes were found at all.
    if (first_withdraw_ && !reachable_seen_ && beyond_unreach_) return std::move(first_withdraw_);
    check_next_hops();
    return std::nullopt;
  }

 private:
  std::optional<Notification> decode_section(Bytes section) {
    while (!section.empty()) {
      const auto attribute = next_attribute(section);
      if (!attribute) return broken_section(section);
      ++count_;
      if (attribute->type != code(AttributeType::MpUnreach)) beyond_unreach_ = true;
      if (seen_[attribute->type]) {
        if (auto error = duplicate(*attribute)) return error;
        continue;
      }
      seen_[attribute->type] = true;
      if (auto error = judge(*attribute)) return error;
    }
    return std::nullopt;
  }

  // Section 4: an attribute that runs past the section, or one to three octets that are none. Prefixes
  // that stand in the broken part are not found, so that it must be no multiprotocol one (section 3 j).
  std::optional<Notification> broken_section(Bytes rest) {
    beyond_unreach_ = true;
    if (rest.size() >= 2 && multiprotocol(rest[1])) return update_error(UpdateError::MalformedAttributeList);
    note(0,
         AttributeVerdict::withdraw(UpdateError::MalformedAttributeList, "attribute runs past the attribute section"),
         {});
    return std::nullopt;
  }

  // Section 3 g.
  std::optional<Notification> duplicate(const RawAttribute& attribute) {
    if (multiprotocol(attribute.type)) return update_error(UpdateError::MalformedAttributeList);
    note(attribute.type, AttributeVerdict::discard("repeated attribute"), attribute.whole);
    return std::nullopt;
  }

  std::optional<Notification> judge(const RawAttribute& attribute) {
    auto verdict = judge_flags(attribute);
    // The prefixes are looked for even in an attribute with wrong flags: they are what is to be withdrawn.
    if (multiprotocol(attribute.type)) {
      if (auto error = decode_multiprotocol(attribute)) return error;
    } else if (verdict.severity == Severity::None) {
      verdict = decode_attribute(attribute, context_, values_);
    }
    if (verdict.severity == Severity::Reset) return update_error(verdict.error, attribute.whole);
    if (verdict.severity != Severity::None) note(attribute.type, verdict, attribute.whole);
    return std::nullopt;
  }

  void note(std::uint8_t type, const AttributeVerdict& verdict, Bytes quoted) {
    const bool withdraw = verdict.severity == Severity::Withdraw;
    out_.faults.push_back({type, withdraw ? FaultAction::TreatAsWithdraw : FaultAction::Discard, verdict.reason});
    if (!withdraw) return;
    out_.treat_as_withdraw = true;
    // RFC 4271 section 6.3 quotes the attribute in all of these errors but two.
    const bool bare =
        verdict.error == UpdateError::MalformedAsPath || verdict.error == UpdateError::MalformedAttributeList;
    if (!first_withdraw_) first_withdraw_ = update_error(verdict.error, bare ? Bytes{} : quoted);
  }

  std::optional<Notification> decode_multiprotocol(const RawAttribute& attribute) {
    const auto value = attribute.value;
    const auto malformed = [&] { return update_error(UpdateError::Optional, attribute.whole); };  // RFC 4760 section 7
    if (value.size() < 3) return malformed();
    const AfiSafi pair{load_u16(value.data()), value[2]};
    const auto family = unicast_family(pair);
    const bool reach = attribute.type == code(AttributeType::MpReach);
    if (!family || !context_.families.has(*family)) {
      reachable_seen_ = reachable_seen_ || reach;
      return std::nullopt;
    }
    auto nlri = value.subspan(3);
    if (reach) {
      const auto used = decode_next_hop(*family, nlri);
      if (!used) return malformed();
      nlri = nlri.subspan(*used);
    }
    if (!well_formed(*family, nlri)) return malformed();
    if (!reach) unreach_ = family;
    if (reach) reachable_seen_ = reachable_seen_ || !nlri.empty();
    add_run(reach ? out_.reachable : out_.withdrawn, pair, nlri);
    return std::nullopt;
  }

  /*  | length of next hop | next hop: 4, 16 or 32 octets | reserved |   RFC 4760 section 3, RFC 2545 section 3,
   *  RFC 8950 section 4. The answer is how many octets that were; nothing when the length is not one of the family's.
   */
  std::optional<std::size_t> decode_next_hop(net::Family family, Bytes field) {
    if (field.empty()) return std::nullopt;
    const std::size_t length = field[0];
    const bool ipv6 = length == 16 || length == 32;
    const bool fits = family == net::Family::Ipv4 ? length == 4 || (ipv6 && context_.ipv4_over_ipv6) : ipv6;
    if (!fits || field.size() < length + 2) return std::nullopt;
    const auto octets = field.subspan(1, length);
    const auto next_hop = ipv6 ? read_ipv6_next_hop(octets) : NextHop{net::Ipv4Address{load_u32(octets.data())}, {}};
    if (family == net::Family::Ipv4)
      multiprotocol_ipv4_ = next_hop;
    else
      out_.next_hop_ipv6 = next_hop;
    return length + 2;
  }

  static NextHop read_ipv6_next_hop(Bytes octets) {
    NextHop next_hop{net::Ipv6Address::from_bytes(octets), std::nullopt};
    if (octets.size() == 16) return next_hop;
    const auto second = net::Ipv6Address::from_bytes(octets.subspan(16));
    // Where there is no other address some say the link-local one twice, and some say :: before it.
    if (second.link_local() && next_hop.address.unspecified()) return {second, std::nullopt};
    if (second.link_local() && next_hop.address != net::IpAddress{second}) next_hop.link_local = second;
    return next_hop;
  }

  [[nodiscard]] bool well_formed(net::Family family, Bytes run) const {
    const auto bits = net::address_bits(family);
    return context_.path_ids.has(family) ? well_formed_path_run(run, bits) : well_formed_run(run, bits);
  }

  void add_run(NlriRuns& runs, AfiSafi pair, Bytes bytes) {
    const auto family = unicast_family(pair);
    if (bytes.empty() || !context_.families.has(*family)) return;
    runs.push_back({*family, bytes, context_.path_ids.has(*family)});
  }

  // RFC 4724 section 2: nothing at all, or nothing but an MP_UNREACH_NLRI that withdraws nothing.
  void recognise_end_of_rib(const Fields& fields) {
    if (!fields.withdrawn.empty() || !fields.nlri.empty() || !out_.withdrawn.empty() || !out_.faults.empty()) return;
    if (fields.attributes.empty() && context_.families.ipv4) out_.end_of_rib = net::Family::Ipv4;
    if (count_ == 1 && unreach_) out_.end_of_rib = unreach_;
  }

  void move_next_hop() {
    out_.next_hop_ipv4 = std::exchange(out_.attributes.next_hop, NextHop{});
    if (!multiprotocol_ipv4_) return;
    const bool both = seen_[code(AttributeType::NextHop)] && out_.reachable.size() == 2;
    if (both && out_.next_hop_ipv4.address != multiprotocol_ipv4_->address)
      note(code(AttributeType::MpReach),
           AttributeVerdict::withdraw(UpdateError::Optional, "two IPv4 next hops in one message"), {});
    out_.next_hop_ipv4 = *multiprotocol_ipv4_;
  }

  // RFC 6793 section 4.2.3. Where both aggregators are there and the first is not AS_TRANS, somebody who
  // spoke two octets aggregated, and both AS4 attributes are from before that.
  void merge_two_octet_path() {
    if (context_.asn_width != AsnWidth::TwoOctets) return;
    auto& attributes = out_.attributes;
    if (attributes.aggregator && values_.as4_aggregator) {
      if (attributes.aggregator->asn != net::as_trans) return;
      attributes.aggregator = values_.as4_aggregator;
    }
    if (values_.as4_path)
      attributes.as_path = merge_as4_path(std::move(attributes.as_path), std::move(*values_.as4_path));
  }

  // Section 3 d, for messages that announce something.
  void check_completeness(const Fields& fields) {
    if (out_.reachable.empty()) return;
    require(AttributeType::Origin);
    require(AttributeType::AsPath);
    if (!fields.nlri.empty()) require(AttributeType::NextHop);
    if (context_.peer == PeerType::Internal) require(AttributeType::LocalPref);
  }

  void require(AttributeType type) {
    if (seen_[code(type)]) return;
    const std::array<std::uint8_t, 1> quoted{code(type)};
    note(code(type), AttributeVerdict::withdraw(UpdateError::MissingWellKnown, "mandatory attribute is missing"),
         quoted);
  }

  // RFC 4271 section 6.3, which leaves a choice, and RFC 5065 section 5, which does not.
  void check_first_as() {
    if (out_.reachable.empty() || context_.peer == PeerType::Internal || out_.treat_as_withdraw) return;
    const bool external = context_.peer == PeerType::External;
    if (external && !context_.enforce_first_as) return;
    const auto& path = out_.attributes.as_path;
    if ((external ? path.first() : path.first_member()) == context_.peer_asn) return;
    note(code(AttributeType::AsPath),
         AttributeVerdict::withdraw(UpdateError::MalformedAsPath, "leftmost AS is not the peer's"), {});
  }

  // RFC 4271 section 6.3: such a route is ignored, which leaves none for its prefix. No reason for a reset.
  void check_next_hops() {
    for (const auto& run : out_.reachable) {
      const bool ipv4 = run.family == net::Family::Ipv4;
      const auto type = ipv4 && !multiprotocol_ipv4_ ? AttributeType::NextHop : AttributeType::MpReach;
      const auto& hop = ipv4 ? out_.next_hop_ipv4 : out_.next_hop_ipv6;
      if (!out_.treat_as_withdraw && !host_address(hop.address))
        note(code(type), AttributeVerdict::withdraw(UpdateError::InvalidNextHop, "next hop is no host's address"), {});
    }
  }

  const UpdateContext& context_;
  Update& out_;
  DecodedAttributes values_;
  std::bitset<256> seen_;
  std::size_t count_ = 0;
  bool beyond_unreach_ = false;  // something but MP_UNREACH_NLRI is among the attributes
  bool reachable_seen_ = false;  // in any family, ours or not
  std::optional<net::Family> unreach_;
  std::optional<NextHop> multiprotocol_ipv4_;
  std::optional<Notification> first_withdraw_;
};

}  // namespace

Decoded<Update> decode_update(std::span<const std::uint8_t> body, const UpdateContext& context) {
  Decoded<Update> result{};  // returned by one name, so that it is never moved
  if (auto error = UpdateDecoder{context, *result}.decode(body)) result = net::fail(std::move(*error));
  return result;
}

PathAttributes decode_canonical_attributes(std::span<const std::uint8_t> bytes) {
  const UpdateContext context{.peer = PeerType::Internal, .peer_asn = {}, .aigp = true};
  PathAttributes attributes;
  DecodedAttributes values{attributes, {}, {}};
  while (const auto attribute = next_attribute(bytes)) (void)decode_attribute(*attribute, context, values);
  return attributes;
}

}  // namespace bgp
