// SPDX-License-Identifier: Apache-2.0
#include "controller/api/accept.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace controller {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.push_back(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// One entry of an Accept header, RFC 9110 section 12.5.1. Quality values are ignored but for q=0: clients of
// this API list what they want in order.
struct MediaRange {
  std::string_view type;
  std::vector<std::string_view> parameters;

  [[nodiscard]] std::string_view parameter(std::string_view name) const {
    for (const auto& one : parameters) {
      const auto equals = one.find('=');
      if (equals != std::string_view::npos && one.substr(0, equals) == name) return one.substr(equals + 1);
    }
    return {};
  }
  [[nodiscard]] bool is_json() const { return type == "application/json" || type == "application/*" || type == "*/*"; }
};

std::vector<MediaRange> media_ranges(std::string_view accept) {
  std::vector<MediaRange> ranges;
  for (const auto entry : split(accept, ',')) {
    auto parts = split(entry, ';');
    MediaRange range{parts.front(), {parts.begin() + 1, parts.end()}};
    if (range.type.empty() || range.parameter("q") == "0") continue;
    ranges.push_back(std::move(range));
  }
  return ranges;
}

}  // namespace

std::string Form::content_type() const {
  switch (shape) {
    case Shape::Object:
      return "application/json";
    case Shape::Table:
      return fmt::format("application/json;as=Table;v={};g=meta.k8s.io", version);
    case Shape::Metadata:
      return fmt::format("application/json;as=PartialObjectMetadata;v={};g=meta.k8s.io", version);
  }
  return "application/json";
}

std::optional<Form> choose_form(std::string_view accept) {
  if (trimmed(accept).empty()) return Form{};
  const auto ranges = media_ranges(accept);
  for (const auto& range : ranges) {
    if (!range.is_json()) continue;
    const auto as = range.parameter("as");
    if (as.empty()) return Form{};
    const std::string version{range.parameter("v")};
    if (range.parameter("g") != "meta.k8s.io" || (version != "v1" && version != "v1beta1")) continue;
    if (as == "Table") return Form{Form::Shape::Table, version};
    if (as == "PartialObjectMetadata" || as == "PartialObjectMetadataList") {
      return Form{Form::Shape::Metadata, version};
    }
  }
  return std::nullopt;
}

std::optional<std::string> aggregated_discovery_version(std::string_view accept) {
  for (const auto& range : media_ranges(accept)) {
    if (!range.is_json()) continue;
    const auto version = range.parameter("v");
    if (range.parameter("as").empty()) return std::nullopt;
    if (range.parameter("as") == "APIGroupDiscoveryList" && range.parameter("g") == "apidiscovery.k8s.io" &&
        (version == "v2" || version == "v2beta1")) {
      return std::string{version};
    }
  }
  return std::nullopt;
}

bool accepts(std::string_view accept, std::string_view media_type) {
  return std::ranges::any_of(media_ranges(accept), [&](const MediaRange& range) { return range.type == media_type; });
}

}  // namespace controller
