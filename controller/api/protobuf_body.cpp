// SPDX-License-Identifier: Apache-2.0
// Field numbers are those of the generated.proto files of k8s.io/api and k8s.io/apimachinery.
#include "controller/api/protobuf_body.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include <fmt/format.h>

#include "config/base64.hpp"

namespace controller {
namespace {

using nlohmann::json;

struct Field {
  enum class Type : std::uint8_t { Text, Number, Flag, Message, TextMap, BytesMap, NumberOrText, Ignored };
  enum class Count : std::uint8_t { One, Many };
  unsigned number;
  std::string_view name;
  Type type = Type::Text;
  std::span<const Field> message{};
  Count count = Count::One;
};
using enum Field::Type;
constexpr auto many = Field::Count::Many;

constexpr auto metadata = std::to_array<Field>({
    {1, "name"},
    {2, "generateName"},
    {3, "namespace"},
    {4, "selfLink"},
    {5, "uid"},
    {6, "resourceVersion"},
    {7, "generation", Number},
    {8, "creationTimestamp", Ignored},  // set by the server
    {9, "deletionTimestamp", Ignored},
    {10, "deletionGracePeriodSeconds", Ignored},
    {11, "labels", TextMap},
    {12, "annotations", TextMap},
    {14, "finalizers", Text, {}, many},
    {17, "managedFields", Ignored},
});

constexpr auto namespace_fields = std::to_array<Field>({
    {1, "metadata", Message, metadata},
    {2, "spec", Ignored},
    {3, "status", Ignored},
});

constexpr auto secret = std::to_array<Field>({
    {1, "metadata", Message, metadata},
    {2, "data", BytesMap},
    {3, "type"},
    {4, "stringData", TextMap},
    {5, "immutable", Flag},
});

constexpr auto port = std::to_array<Field>({
    {1, "name"},
    {2, "protocol"},
    {3, "port", Number},
    {4, "targetPort", NumberOrText},
    {5, "nodePort", Number},
    {6, "appProtocol"},
});

constexpr auto service_spec = std::to_array<Field>({
    {1, "ports", Message, port, many},
    {2, "selector", TextMap},
    {3, "clusterIP"},
    {4, "type"},
    {5, "externalIPs", Text, {}, many},
    {7, "sessionAffinity"},
    {8, "loadBalancerIP"},
    {9, "loadBalancerSourceRanges", Text, {}, many},
    {10, "externalName"},
    {11, "externalTrafficPolicy"},
    {12, "healthCheckNodePort", Number},
    {13, "publishNotReadyAddresses", Flag},
    {17, "ipFamilyPolicy"},
    {18, "clusterIPs", Text, {}, many},
    {19, "ipFamilies", Text, {}, many},
    {20, "allocateLoadBalancerNodePorts", Flag},
    {21, "loadBalancerClass"},
    {22, "internalTrafficPolicy"},
    {23, "trafficDistribution"},
});

constexpr auto service = std::to_array<Field>({
    {1, "metadata", Message, metadata},
    {2, "spec", Message, service_spec},
    {3, "status", Ignored},
});

// A sticky cursor over protobuf's wire format: after the first error every read gives nothing.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_{bytes} {}
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool more() const { return ok_ && !rest_.empty(); }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; ok_ && shift < 64; shift += 7) {
      if (rest_.empty()) break;
      const auto byte = static_cast<std::uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
      if (byte < 0x80) return value;
    }
    fail();
    return 0;
  }
  std::string_view bytes() {
    const auto size = varint();
    if (size > rest_.size()) fail();
    if (!ok_) return {};
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  // Field number and wire type: 0 a varint, 2 bytes; nothing here has another.
  std::pair<unsigned, unsigned> tag() {
    const auto value = varint();
    return {static_cast<unsigned>(value >> 3U), static_cast<unsigned>(value & 7U)};
  }
  void fail() {
    ok_ = false;
    rest_ = {};
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

struct Wire {
  bool is_number = false;
  std::uint64_t number = 0;
  std::string_view bytes;
};

Wire value_of(Reader& in, unsigned wire_type) {
  Wire wire;
  if (wire_type == 0) {
    wire.is_number = true;
    wire.number = in.varint();
  } else if (wire_type == 2) {
    wire.bytes = in.bytes();
  } else {
    in.fail();
  }
  return wire;
}

// A map entry is a message of key 1 and value 2.
void add_entry(json& map, std::string_view entry, Field::Type type, Reader& outer) {
  Reader in{entry};
  std::string key;
  std::string value;
  while (in.more()) {
    const auto [number, wire_type] = in.tag();
    const auto wire = value_of(in, wire_type);
    if (wire.is_number) in.fail();
    (number == 1 ? key : value) = wire.bytes;
  }
  if (!in.ok()) return outer.fail();
  map[key] = type == BytesMap ? config::encode_base64(value) : value;
}

// IntOrString: 1 says which, 2 is the number, 3 the text.
json number_or_text(std::string_view message, Reader& outer) {
  Reader in{message};
  json result;
  auto is_text = false;
  while (in.more()) {
    const auto [number, wire_type] = in.tag();
    const auto wire = value_of(in, wire_type);
    if (number == 1) is_text = wire.number == 1;
    if (number == 2 && !is_text && wire.number != 0) result = static_cast<std::int64_t>(wire.number);
    if (number == 3 && is_text) result = wire.bytes;
  }
  if (!in.ok()) outer.fail();
  return result;
}

// What Go's encoder writes although it is not set: left out, as its JSON would.
bool is_unset(const json& value) {
  return value.is_null() || value == "" || value == 0 || value == false || (value.is_object() && value.empty());
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the tables above
json decode(std::string_view message, std::span<const Field> fields, std::string& unknown, Reader& outer) {
  Reader in{message};
  auto object = json::object();
  while (in.more()) {
    const auto [number, wire_type] = in.tag();
    const auto wire = value_of(in, wire_type);
    const auto field = std::ranges::find(fields, number, &Field::number);
    if (field == fields.end()) {
      unknown = fmt::format("field number {}", number);
      break;
    }
    const auto wants_number = field->type == Number || field->type == Flag;
    if (field->type != Ignored && wants_number != wire.is_number) in.fail();
    const std::string name{field->name};
    json value;
    switch (field->type) {
      case Text:
        value = wire.bytes;
        break;
      case Number:
        value = static_cast<std::int64_t>(wire.number);
        break;
      case Flag:
        value = wire.number != 0;
        break;
      case Message:
        value = decode(wire.bytes, field->message, unknown, in);
        break;
      case NumberOrText:
        value = number_or_text(wire.bytes, in);
        break;
      case TextMap:
      case BytesMap:
        add_entry(object[name], wire.bytes, field->type, in);
        continue;
      case Ignored:
        continue;
    }
    if (field->count == many) {
      object[name].push_back(std::move(value));
    } else if (!is_unset(value)) {
      object[name] = std::move(value);
    }
  }
  if (!in.ok()) outer.fail();
  return object;
}

std::optional<std::span<const Field>> message_of(std::string_view kind) {
  if (kind == "Service") return service;
  if (kind == "Secret") return secret;
  if (kind == "Namespace") return namespace_fields;
  return std::nullopt;
}

constexpr auto type_meta = std::to_array<Field>({{1, "apiVersion"}, {2, "kind"}});

}  // namespace

ApiResult<json> decode_protobuf(std::string_view body) {
  const auto broken = bad_request("the body of the request is not an object in Kubernetes' protobuf encoding");
  // Four bytes that say so, then runtime.Unknown: 1 is the type, 2 the object.
  constexpr std::string_view magic{"k8s\0", 4};
  if (!body.starts_with(magic)) return net::fail(broken);
  Reader in{body.substr(magic.size())};
  std::string unknown;
  json type;
  std::string_view raw;
  while (in.more()) {
    const auto [number, wire_type] = in.tag();
    const auto wire = value_of(in, wire_type);
    if (number == 1) type = decode(wire.bytes, type_meta, unknown, in);
    if (number == 2) raw = wire.bytes;
  }
  if (!in.ok() || !type.is_object()) return net::fail(broken);

  const auto kind = type.value("kind", "");
  const auto message = message_of(kind);
  if (type.value("apiVersion", "") != "v1" || !message) {
    return net::fail(unsupported_media_type("application/json, application/yaml"));
  }
  auto object = decode(raw, *message, unknown, in);
  if (!in.ok()) return net::fail(broken);
  if (!unknown.empty()) {
    return net::fail(bad_request(fmt::format("the {} in the request has a {} that is not understood", kind, unknown)));
  }
  object["apiVersion"] = "v1";
  object["kind"] = kind;
  // Text that is no UTF-8 would make an object that cannot be JSON.
  using Handler = json::error_handler_t;
  if (object.dump(-1, ' ', false, Handler::replace) != object.dump(-1, ' ', false, Handler::ignore)) {
    return net::fail(broken);
  }
  return object;
}

}  // namespace controller
