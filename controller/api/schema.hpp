// SPDX-License-Identifier: Apache-2.0
// JSON schemas of the kinds, built from the tables of fields, and their protobuf encoding. Pure.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "config/api_paths.hpp"

namespace controller {

// As OpenAPI has it, with the extensions that kubectl reads (group-version-kind, merge keys).
[[nodiscard]] nlohmann::json schema_of(const config::KindInfo& kind);
// "dev.herald.v1.BGPPeer", "io.k8s.api.core.v1.Service"
[[nodiscard]] std::string definition_name(const config::KindInfo& kind);

// An OpenAPI v2 document in the protobuf encoding of openapi.v2.Document, which is all that kubectl before 1.27
// reads. Covers what openapi.cpp puts into its document, not all of OpenAPI.
[[nodiscard]] std::string encode_openapi_v2(const nlohmann::json& document);

}  // namespace controller
