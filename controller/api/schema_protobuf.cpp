// SPDX-License-Identifier: Apache-2.0
// Field numbers are those of gnostic's openapiv2/OpenAPIv2.proto.
#include "controller/api/schema.hpp"

namespace controller {
namespace {

using nlohmann::json;

// Protobuf's wire format, as far as it is needed: everything is a length-delimited field.
class Encoder {
 public:
  void field(unsigned number, std::string_view bytes) {
    varint(number << 3U | 2U);
    varint(bytes.size());
    out_ += bytes;
  }
  void field(unsigned number, const Encoder& message) { field(number, message.out_); }
  [[nodiscard]] const std::string& bytes() const { return out_; }

 private:
  void varint(std::size_t value) {
    for (; value >= 0x80; value >>= 7U) out_ += static_cast<char>((value & 0x7fU) | 0x80U);
    out_ += static_cast<char>(value);
  }

  std::string out_;
};

std::string text(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

Encoder named(std::string_view name, const Encoder& value) {
  Encoder entry;
  entry.field(1, name);
  entry.field(2, value);
  return entry;
}

// Any: its value as YAML, which JSON is.
Encoder any(const json& value) {
  Encoder encoded;
  encoded.field(2, value.dump());
  return encoded;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the tables of fields are
Encoder schema(const json& from) {
  Encoder out;
  for (const auto& [name, value] : from.items()) {
    if (name == "format") out.field(2, text(value));
    if (name == "description") out.field(4, text(value));
    if (name == "additionalProperties") {
      Encoder item;
      item.field(1, schema(value));
      out.field(21, item);
    }
    if (name == "type") {
      Encoder item;
      item.field(1, text(value));
      out.field(22, item);
    }
    if (name == "items") {
      Encoder item;
      item.field(1, schema(value));
      out.field(23, item);
    }
    if (name == "properties") {
      Encoder properties;
      for (const auto& [property, of] : value.items()) properties.field(1, named(property, schema(of)));
      out.field(25, properties);
    }
    if (name.starts_with("x-")) out.field(31, named(name, any(value)));
  }
  return out;
}

}  // namespace

std::string encode_openapi_v2(const json& document) {
  Encoder info;
  info.field(1, text(document.at("info").at("title")));
  info.field(2, text(document.at("info").at("version")));
  Encoder definitions;
  for (const auto& [name, value] : document.at("definitions").items()) definitions.field(1, named(name, schema(value)));

  Encoder out;
  out.field(1, text(document.at("swagger")));
  out.field(2, info);
  out.field(8, Encoder{});  // no paths: kubectl looks at definitions alone
  out.field(9, definitions);
  return out.bytes();
}

}  // namespace controller
