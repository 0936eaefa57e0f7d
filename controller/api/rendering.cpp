// SPDX-License-Identifier: Apache-2.0
#include "controller/api/rendering.hpp"

#include <fmt/format.h>

#include "controller/api/table.hpp"

namespace controller {
namespace {

using nlohmann::json;

std::string text_of(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string column_definitions(config::Kind kind) {
  auto definitions = json::array();
  for (const auto& column : columns(kind)) {
    definitions.push_back({{"name", column.name},
                           {"type", column.type},
                           {"format", column.name == "Name" ? "name" : ""},
                           {"description", column.description},
                           {"priority", column.shown == Column::Shown::Wide ? 1 : 0}});
  }
  return text_of(definitions);
}

}  // namespace

ApiResult<Rendering> Rendering::of(const Request& request, const config::KindInfo& kind) {
  auto form = choose_form(request.accept);
  if (!form) return net::fail(not_acceptable("application/json"));
  const auto asked = request.query.get("includeObject");
  const auto include = asked == "None" ? Include::None : asked == "Object" ? Include::Object : Include::Metadata;
  return Rendering{kind, std::move(*form), include};
}

std::string Rendering::metadata_only(const json& object) const {
  const auto metadata = object.find("metadata");
  return fmt::format(R"({{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/{}","metadata":{}}})",
                     form_.version.empty() ? "v1" : form_.version,
                     metadata == object.end() ? "{}" : text_of(*metadata));
}

std::string Rendering::row(const Object& object, WallTime now) const {
  const auto parsed = json::parse(object.text, nullptr, false);
  std::string shown = "null";
  if (include_ == Include::Object) shown = object.text;
  if (include_ == Include::Metadata) shown = metadata_only(parsed);
  return fmt::format(R"({{"cells":{},"object":{}}})", text_of(cells(kind_->kind, parsed, now)), shown);
}

std::string Rendering::table_head(std::string_view metadata, Columns columns) const {
  return fmt::format(R"({{"kind":"Table","apiVersion":"meta.k8s.io/{}","metadata":{},"columnDefinitions":{},"rows":[)",
                     form_.version, metadata, columns == Columns::Shown ? column_definitions(kind_->kind) : "[]");
}

std::string Rendering::single(const Object& object, WallTime now) const {
  switch (form_.shape) {
    case Form::Shape::Object:
      return object.text;
    case Form::Shape::Metadata:
      return metadata_only(json::parse(object.text, nullptr, false));
    case Form::Shape::Table:
      break;
  }
  const auto metadata = fmt::format(R"({{"resourceVersion":"{}"}})", object.revision);
  return table_head(metadata, Columns::Shown) + row(object, now) + "]}";
}

std::string Rendering::list_head(const ListMeta& meta) const {
  json metadata{{"resourceVersion", std::to_string(meta.revision)}};
  if (!meta.continue_token.empty()) metadata["continue"] = meta.continue_token;
  switch (form_.shape) {
    case Form::Shape::Object:
      return fmt::format(R"({{"kind":"{}List","apiVersion":"{}","metadata":{},"items":[)", kind_->name,
                         kind_->api_version, text_of(metadata));
    case Form::Shape::Metadata:
      return fmt::format(
          R"({{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/{}","metadata":{},"items":[)",
          form_.version, text_of(metadata));
    case Form::Shape::Table:
      break;
  }
  return table_head(text_of(metadata), Columns::Shown);
}

std::string Rendering::list_entry(const Object& object, WallTime now) const {
  switch (form_.shape) {
    case Form::Shape::Object:
      return object.text;
    case Form::Shape::Metadata:
      return metadata_only(json::parse(object.text, nullptr, false));
    case Form::Shape::Table:
      break;
  }
  return row(object, now);
}

std::string Rendering::event(std::string_view type, const Object& object, WallTime now, Columns columns) const {
  std::string shown;
  if (form_.shape == Form::Shape::Table) {
    const auto metadata = fmt::format(R"({{"resourceVersion":"{}"}})", object.revision);
    shown = table_head(metadata, columns) + row(object, now) + "]}";
  } else {
    shown = list_entry(object, now);
  }
  return fmt::format("{{\"type\":\"{}\",\"object\":{}}}\n", type, shown);
}

std::string Rendering::bookmark(std::uint64_t revision, Bookmark meaning) const {
  json metadata{{"resourceVersion", std::to_string(revision)}, {"creationTimestamp", nullptr}};
  if (meaning == Bookmark::InitialEventsEnd) metadata["annotations"] = {{"k8s.io/initial-events-end", "true"}};
  json object{{"kind", kind_->name}, {"apiVersion", kind_->api_version}, {"metadata", std::move(metadata)}};
  if (form_.shape == Form::Shape::Metadata) {
    object["kind"] = "PartialObjectMetadata";
    object["apiVersion"] = "meta.k8s.io/" + form_.version;
  }
  if (form_.shape == Form::Shape::Table) {
    object = {{"kind", "Table"},
              {"apiVersion", "meta.k8s.io/" + form_.version},
              {"metadata", {{"resourceVersion", std::to_string(revision)}}},
              {"columnDefinitions", json::array()},
              {"rows", {{{"cells", json::array()}, {"object", std::move(object)}}}}};
  }
  return text_of({{"type", "BOOKMARK"}, {"object", std::move(object)}}) + "\n";
}

std::string Rendering::error_event(const ApiError& error) {
  return text_of({{"type", "ERROR"}, {"object", status_object(error)}}) + "\n";
}

}  // namespace controller
