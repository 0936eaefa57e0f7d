// SPDX-License-Identifier: Apache-2.0
// Objects in the form that a client asked for: as they are, as rows of a Table, or their metadata alone;
// each as one document, as an entry of a list, or as an event of a watch. Pure.
#pragma once

#include <string>
#include <string_view>

#include "controller/api/accept.hpp"
#include "controller/api/request.hpp"
#include "controller/api/status.hpp"
#include "controller/store/metadata.hpp"
#include "controller/store/object.hpp"

namespace controller {

class Rendering {
 public:
  // What a row of a Table has of its object.
  enum class Include : std::uint8_t { None, Metadata, Object };

  // The error is that of a request that accepts none of our forms.
  [[nodiscard]] static ApiResult<Rendering> of(const Request& request, const config::KindInfo& kind);

  [[nodiscard]] std::string content_type() const { return form_.content_type(); }
  [[nodiscard]] std::string single(const Object& object, WallTime now) const;

  struct ListMeta {
    std::uint64_t revision = 0;
    std::string continue_token;
  };
  // head, entries separated by ",", tail
  [[nodiscard]] std::string list_head(const ListMeta& meta) const;
  [[nodiscard]] std::string list_entry(const Object& object, WallTime now) const;
  [[nodiscard]] std::string list_tail() const { return "]}"; }

  enum class Columns : std::uint8_t { Shown, Known };  // a Table says its columns once in a watch
  [[nodiscard]] std::string event(std::string_view type, const Object& object, WallTime now, Columns columns) const;
  enum class Bookmark : std::uint8_t { Progress, InitialEventsEnd };
  [[nodiscard]] std::string bookmark(std::uint64_t revision, Bookmark meaning) const;
  [[nodiscard]] static std::string error_event(const ApiError& error);

 private:
  Rendering(const config::KindInfo& kind, Form form, Include include)
      : kind_{&kind}, form_{std::move(form)}, include_{include} {}
  [[nodiscard]] std::string row(const Object& object, WallTime now) const;
  [[nodiscard]] std::string metadata_only(const nlohmann::json& object) const;
  [[nodiscard]] std::string table_head(std::string_view metadata, Columns columns) const;

  const config::KindInfo* kind_;
  Form form_;
  Include include_;
};

}  // namespace controller
