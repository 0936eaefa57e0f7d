// SPDX-License-Identifier: Apache-2.0
// BFDProfile.
#include "config/kinds/kinds.hpp"
#include "config/rules.hpp"

namespace config {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr std::pair<std::string_view, BfdAuthType> types[] = {
    {"simple-password", BfdAuthType::SimplePassword},
    {"keyed-md5", BfdAuthType::KeyedMd5},
    {"meticulous-keyed-md5", BfdAuthType::MeticulousKeyedMd5},
    {"keyed-sha1", BfdAuthType::KeyedSha1},
    {"meticulous-keyed-sha1", BfdAuthType::MeticulousKeyedSha1},
};

milliseconds parse_interval(Cursor& spec, std::string_view key, milliseconds fallback) {
  const auto read = spec.optional(key, number<std::uint32_t>(10, 60000));
  return read ? milliseconds{*read} : fallback;
}

BFDProfile::Authentication parse_authentication(Cursor in) {
  BFDProfile::Authentication authentication;
  authentication.type = in.required("type", choice<BfdAuthType>({std::begin(types), std::end(types)}));
  authentication.key_id = in.optional("keyID", number<std::uint8_t>(), authentication.key_id);
  authentication.secret = in.required("secret", parse_secret_ref);
  in.no_other_keys();
  return authentication;
}

}  // namespace

void parse_shared_bfd_spec(Cursor& spec, BFDProfile& profile) {
  profile.receive_interval = parse_interval(spec, "receiveInterval", profile.receive_interval);
  profile.transmit_interval = parse_interval(spec, "transmitInterval", profile.transmit_interval);
  profile.detect_multiplier = spec.optional("detectMultiplier", number<std::uint8_t>(2), profile.detect_multiplier);
  profile.echo_interval = parse_interval(spec, "echoInterval", profile.echo_interval);
  profile.echo_mode = spec.optional("echoMode", boolean, false);
  profile.passive_mode = spec.optional("passiveMode", boolean, false);
  profile.minimum_ttl = spec.optional("minimumTtl", number<std::uint8_t>(1, 254), profile.minimum_ttl);
}

BFDProfile parse_bfd_profile(Cursor in) {
  BFDProfile profile;
  profile.meta = parse_meta(in, NamespaceRule::Refused);
  auto spec = in.object("spec");
  parse_shared_bfd_spec(spec, profile);
  profile.authentication = spec.optional("authentication", parse_authentication);
  spec.no_other_keys();
  in.no_other_keys();
  return profile;
}

json print(const BFDProfile& profile) {
  auto out = print_object("herald.dev/v1", "BFDProfile", profile.meta);
  auto& spec = out["spec"];
  spec["receiveInterval"] = profile.receive_interval.count();
  spec["transmitInterval"] = profile.transmit_interval.count();
  spec["detectMultiplier"] = profile.detect_multiplier;
  spec["echoInterval"] = profile.echo_interval.count();
  spec["echoMode"] = profile.echo_mode;
  spec["passiveMode"] = profile.passive_mode;
  spec["minimumTtl"] = profile.minimum_ttl;
  if (profile.authentication) {
    auto& authentication = spec["authentication"];
    for (const auto& [name, type] : types)
      if (type == profile.authentication->type) authentication["type"] = name;
    authentication["keyID"] = profile.authentication->key_id;
    authentication["secret"]["name"] = profile.authentication->secret.name;
    if (!profile.authentication->secret.namespace_name.empty())
      authentication["secret"]["namespace"] = profile.authentication->secret.namespace_name;
  }
  return out;
}

}  // namespace config
