// SPDX-License-Identifier: Apache-2.0
// OPEN: RFC 4271 sections 4.2 and 6.2, capabilities of RFC 5492, long parameters of RFC 9072.
#include <algorithm>

#include "bgp/wire/framing.hpp"
#include "bgp/wire/message.hpp"
#include "bgp/wire/notification.hpp"
#include "net/reader.hpp"
#include "net/writer.hpp"

namespace bgp {

namespace capability {
constexpr std::uint8_t multiprotocol = 1;
constexpr std::uint8_t route_refresh = 2;
constexpr std::uint8_t extended_message = 6;
constexpr std::uint8_t four_octet_asn = 65;
constexpr std::uint8_t add_path = 69;
constexpr std::uint8_t enhanced_route_refresh = 70;
}  // namespace capability

namespace {

constexpr std::uint8_t parameter_capabilities = 2;
constexpr std::uint8_t parameter_extended = 255;

void add_family(std::vector<AfiSafi>& families, AfiSafi family) {
  if (std::find(families.begin(), families.end(), family) == families.end()) families.push_back(family);
}

// RFC 7911 section 4: other values than 1, 2 and 3 are ignored. Of two entries for a family the first counts.
bool decode_add_path(net::Reader value, Capabilities& out) {
  while (value.remaining() > 0) {
    AddPathFamily entry;
    entry.family.afi = value.u16();
    entry.family.safi = value.u8();
    const auto mode = value.u8();
    entry.receive = (mode & 1) != 0;
    entry.send = (mode & 2) != 0;
    const auto known = std::find_if(out.add_path.begin(), out.add_path.end(),
                                    [&](const AddPathFamily& other) { return other.family == entry.family; });
    if (value.ok() && mode >= 1 && mode <= 3 && known == out.add_path.end()) out.add_path.push_back(entry);
  }
  return value.ok();
}

// One capability. The same one twice is fine (RFC 5492 section 4): equal ones are one, and of two AS
// numbers the first counts. False: its length is not what its specification says.
bool decode_capability(std::uint8_t code, net::Reader value, Capabilities& out) {
  switch (code) {
    case capability::multiprotocol: {
      AfiSafi family;
      family.afi = value.u16();
      value.skip(1);  // reserved
      family.safi = value.u8();
      if (value.consumed()) add_family(out.multiprotocol, family);
      return value.consumed();
    }
    // These three say all by being there. Some send a value with them, which is no reason to refuse a peer.
    case capability::route_refresh:
      out.route_refresh = true;
      return true;
    case capability::extended_message:
      out.extended_message = true;
      return true;
    case capability::enhanced_route_refresh:
      out.enhanced_route_refresh = true;
      return true;
    case capability::four_octet_asn: {
      const net::Asn asn{value.u32()};
      if (!out.four_octet_asn) out.four_octet_asn = asn;
      return value.consumed();
    }
    case capability::extended_next_hop:
      return decode(value, out.extended_next_hop);
    case capability::role: {
      const auto role = value.u8();
      if (std::find(out.roles.begin(), out.roles.end(), role) == out.roles.end()) out.roles.push_back(role);
      return value.consumed();
    }
    // Of several, the last counts (RFC 4724 section 3).
    case capability::graceful_restart:
      return decode(value, out.graceful_restart.emplace());
    case capability::long_lived:
      return decode(value, out.long_lived.emplace());
    case capability::add_path:
      return decode_add_path(value, out);
    default: {
      RawCapability unknown{code, {value.rest().begin(), value.rest().end()}};
      if (std::find(out.unknown.begin(), out.unknown.end(), unknown) == out.unknown.end())
        out.unknown.push_back(std::move(unknown));
      return true;
    }
  }
}

bool decode_capabilities(net::Reader in, Capabilities& out) {
  while (in.remaining() > 0) {
    const auto code = in.u8();
    const auto value = in.sub(in.u8());
    if (!in.ok() || !decode_capability(code, value, out)) return false;
  }
  return in.ok();
}

enum class ParameterLength : std::uint8_t { OneOctet, TwoOctets };

std::optional<OpenError> decode_parameters(net::Reader in, ParameterLength width, Capabilities& out) {
  while (in.remaining() > 0) {
    const auto type = in.u8();
    const std::size_t length = width == ParameterLength::OneOctet ? in.u8() : in.u16();
    const auto value = in.sub(length);
    if (!in.ok()) return OpenError::Unspecific;
    if (type != parameter_capabilities) return OpenError::UnsupportedParameter;
    // RFC 4271 section 6.2: recognized but malformed is "Unspecific".
    if (!decode_capabilities(value, out)) return OpenError::Unspecific;
  }
  return in.ok() ? std::nullopt : std::optional{OpenError::Unspecific};
}

// RFC 9072 section 2: a first parameter of type 255 says that a two-octet length follows and that every
// parameter's length has two octets. The one-octet length then only must not be zero.
std::optional<OpenError> decode_parameters_field(net::Reader in, Capabilities& out) {
  const auto length = in.u8();
  if (length != 0 && in.remaining() > 0 && in.rest()[0] == parameter_extended) {
    in.skip(1);
    const auto parameters = in.sub(in.u16());
    if (!in.consumed()) return OpenError::Unspecific;
    return decode_parameters(parameters, ParameterLength::TwoOctets, out);
  }
  const auto parameters = in.sub(length);
  if (!in.consumed()) return OpenError::Unspecific;
  return decode_parameters(parameters, ParameterLength::OneOctet, out);
}

void encode_capabilities(const Capabilities& capabilities, net::Writer& out) {
  const auto flag = [&](bool offered, std::uint8_t code) {
    if (!offered) return;
    out.u8(code);
    out.u8(0);
  };
  for (const auto& family : capabilities.multiprotocol) {
    out.u8(capability::multiprotocol);
    out.u8(4);
    out.u16(family.afi);
    out.u8(0);
    out.u8(family.safi);
  }
  flag(capabilities.route_refresh, capability::route_refresh);
  if (!capabilities.extended_next_hop.empty()) encode_capability(capabilities.extended_next_hop, out);
  flag(capabilities.extended_message, capability::extended_message);
  for (const auto role : capabilities.roles) encode_role(role, out);
  if (capabilities.graceful_restart) encode_capability(*capabilities.graceful_restart, out);
  if (capabilities.four_octet_asn) {
    out.u8(capability::four_octet_asn);
    out.u8(4);
    out.u32(capabilities.four_octet_asn->value);
  }
  if (!capabilities.add_path.empty()) {
    out.u8(capability::add_path);
    const auto length = out.length_field_u8();
    for (const auto& entry : capabilities.add_path) {
      out.u16(entry.family.afi);
      out.u8(entry.family.safi);
      out.u8(static_cast<std::uint8_t>((entry.receive ? 1 : 0) | (entry.send ? 2 : 0)));
    }
  }
  flag(capabilities.enhanced_route_refresh, capability::enhanced_route_refresh);
  if (capabilities.long_lived) encode_capability(*capabilities.long_lived, out);
  for (const auto& unknown : capabilities.unknown) {
    out.u8(unknown.code);
    const auto length = out.length_field_u8();
    out.bytes(unknown.value);
  }
}

}  // namespace

/*  |    Version    |           My AS               |           Hold Time           |
 *  |                         BGP Identifier                        | Opt Parm Len  | parameters
 */
Decoded<Open> decode_open(std::span<const std::uint8_t> body) {
  net::Reader in{body};
  Open open;
  open.version = in.u8();
  open.asn = net::Asn{in.u16()};
  open.hold_time = net::Seconds{in.u16()};
  open.id = net::RouterId{in.u32()};

  // In the order of the fields, so that a peer of another version hears of the version first.
  if (!in.ok()) return net::fail(open_error(OpenError::Unspecific));
  if (open.version != 4) return net::fail(open_error(OpenError::UnsupportedVersion, {0, 4}));
  if (open.asn == net::Asn{0}) return net::fail(open_error(OpenError::BadPeerAs));  // RFC 7607 section 2
  if (open.hold_time > net::Seconds{0} && open.hold_time < net::Seconds{3})
    return net::fail(open_error(OpenError::UnacceptableHoldTime));
  if (open.id == net::RouterId{0}) return net::fail(open_error(OpenError::BadIdentifier));  // RFC 6286 section 2.2
  if (const auto error = decode_parameters_field(in, open.capabilities)) return net::fail(open_error(*error));
  if (open.capabilities.four_octet_asn == net::Asn{0}) return net::fail(open_error(OpenError::BadPeerAs));
  return open;
}

std::vector<std::uint8_t> encode(const Open& open) {
  std::vector<std::uint8_t> capabilities;
  net::Writer capability_writer{capabilities};
  encode_capabilities(open.capabilities, capability_writer);

  std::vector<std::uint8_t> out;
  const Message message{out, MessageType::Open};
  net::Writer writer{out};
  writer.u8(open.version);
  writer.u16(static_cast<std::uint16_t>(open.asn.four_octet() ? net::as_trans.value : open.asn.value));
  writer.u16(static_cast<std::uint16_t>(std::clamp<net::Seconds::rep>(open.hold_time.count(), 0, 0xffff)));
  writer.u32(open.id.value);

  if (capabilities.empty()) {
    writer.u8(0);
  } else if (capabilities.size() <= 253) {  // 255 without the parameter's own two octets
    writer.u8(static_cast<std::uint8_t>(capabilities.size() + 2));
    writer.u8(parameter_capabilities);
    writer.u8(static_cast<std::uint8_t>(capabilities.size()));
    writer.bytes(capabilities);
  } else {
    writer.u8(255);
    writer.u8(parameter_extended);
    const auto parameters = writer.length_field_u16();
    writer.u8(parameter_capabilities);
    const auto parameter = writer.length_field_u16();
    writer.bytes(capabilities);
  }
  message.finish();
  return out;
}

}  // namespace bgp
