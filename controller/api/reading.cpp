// SPDX-License-Identifier: Apache-2.0
#include "controller/api/reading.hpp"

#include <charconv>

#include <fmt/format.h>

#include "config/base64.hpp"
#include "controller/api/lookup.hpp"
#include "controller/api/selectors.hpp"
#include "controller/api/watch_stream.hpp"

namespace controller {
namespace {

using nlohmann::json;

constexpr std::size_t piece_size = std::size_t{64} << 10U;
constexpr auto longest_watch = std::chrono::minutes{30};

template <class Number>
ApiResult<std::optional<Number>> number(const Query& query, std::string_view name) {
  const auto text = query.get(name);
  if (text.empty()) return std::optional<Number>{};
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return net::fail(bad_request(fmt::format("{} must be a number, got \"{}\"", name, text)));
  }
  return std::optional<Number>{value};
}

// A place in a list: its revision and the last object that was sent. Opaque to clients.
struct Continuation {
  std::uint64_t revision = 0;
  ObjectKey after;
};

std::string print(const Continuation& at) {
  auto token = config::encode_base64(
      json{{"rv", at.revision}, {"namespace", at.after.namespace_name}, {"name", at.after.name}}.dump());
  // The alphabet that needs no escapes in a URL, RFC 4648 section 5.
  std::ranges::replace(token, '+', '-');
  std::ranges::replace(token, '/', '_');
  while (token.ends_with('=')) token.pop_back();
  return token;
}

std::optional<Continuation> parse_continuation(std::string_view text, config::Kind kind) {
  std::string token{text};
  std::ranges::replace(token, '-', '+');
  std::ranges::replace(token, '_', '/');
  while (token.size() % 4 != 0) token += '=';
  const auto decoded = config::decode_base64(token);
  if (!decoded) return std::nullopt;
  const auto parsed = json::parse(*decoded, nullptr, false);
  const auto& revision = lookup(parsed, "rv");
  const auto& name = lookup(parsed, "name");
  const auto& namespace_name = lookup(parsed, "namespace");
  if (!revision.is_number_unsigned() || !name.is_string() || !namespace_name.is_string()) return std::nullopt;
  return Continuation{revision.get<std::uint64_t>(),
                      {kind, namespace_name.get<std::string>(), name.get<std::string>()}};
}

// The entries of a list, rendered while they are sent.
class ListStream : public BodyStream {
 public:
  ListStream(Snapshot snapshot, Rendering rendering, std::string continue_token, WallTime now)
      : snapshot_{std::move(snapshot)},
        rendering_{std::move(rendering)},
        continue_{std::move(continue_token)},
        now_{now} {}

  State next(std::string& piece, SteadyTime /*now*/) override {
    if (next_ == 0) piece += rendering_.list_head({snapshot_.revision, continue_});
    while (next_ < snapshot_.objects.size()) {
      if (piece.size() >= piece_size) return State::More;
      if (next_ > 0) piece += ",";
      // Let go of what was sent: it may not be in the store any more.
      const auto object = std::exchange(snapshot_.objects[next_++], nullptr);
      piece += rendering_.list_entry(*object, now_);
    }
    piece += rendering_.list_tail();
    return State::End;
  }
  void on_ready(std::function<void()> /*ready*/) override {}
  [[nodiscard]] std::optional<SteadyTime> wake_at() const override { return std::nullopt; }

 private:
  Snapshot snapshot_;
  Rendering rendering_;
  std::string continue_;
  WallTime now_;
  std::size_t next_ = 0;
};

// The revision that a client asks for, which we cannot have given out when it is beyond ours.
ApiResult<std::optional<std::uint64_t>> asked_revision(const ApiContext& context, const ResourceRequest& resource) {
  auto asked = number<std::uint64_t>(resource.request.query, "resourceVersion");
  if (!asked || !*asked || **asked == 0) return asked;
  const auto current = context.store.revision(resource.key.kind);
  if (**asked > current) return net::fail(revision_too_large(**asked, current));
  return asked;
}

}  // namespace

ApiResult<std::function<bool(const Object&)>> selection_of(const ResourceRequest& resource) {
  const auto& query = resource.request.query;
  auto labels = LabelRequirements::parse(query.get("labelSelector"));
  if (!labels) return net::fail(bad_request("unable to parse the label selector: " + labels.error()));
  auto fields = FieldRequirements::parse(query.get("fieldSelector"), resource.key.kind);
  if (!fields) return net::fail(bad_request(fields.error()));
  return [namespace_name = resource.key.namespace_name, name = resource.key.name, labels = std::move(*labels),
          fields = std::move(*fields)](const Object& object) {
    return (namespace_name.empty() || object.key.namespace_name == namespace_name) &&
           (name.empty() || object.key.name == name) && labels.matches(object.labels) && fields.matches(object);
  };
}

ApiResult<Response> get_object(const ApiContext& context, const ResourceRequest& resource) {
  const auto object = context.store.get(resource.key);
  if (!object) return net::fail(not_found(resource.kind(), resource.key.name));
  return Response{.content_type = resource.rendering.content_type(),
                  .body = resource.rendering.single(*object, context.now())};
}

ApiResult<Response> list_objects(const ApiContext& context, const ResourceRequest& resource) {
  const auto& query = resource.request.query;
  auto selection = selection_of(resource);
  if (!selection) return net::fail(selection.error());
  const auto limit = number<std::size_t>(query, "limit");
  if (!limit) return net::fail(limit.error());
  const auto revision = asked_revision(context, resource);
  if (!revision) return net::fail(revision.error());

  ListQuery list{.kind = resource.key.kind,
                 .namespace_name = resource.key.namespace_name,
                 .limit = limit->value_or(0),
                 .filter = std::move(*selection)};
  if (query.get("resourceVersionMatch") == "Exact" && *revision) list.at = **revision;
  if (!query.get("continue").empty()) {
    auto from = parse_continuation(query.get("continue"), resource.key.kind);
    if (!from) return net::fail(bad_request("continue key is not valid"));
    list.at = from->revision;
    list.after = std::move(from->after);
  }
  auto snapshot = context.store.list(list);
  if (!snapshot) {
    return net::fail(expired(query.get("continue").empty()
                                 ? fmt::format("The resourceVersion for the provided list is too old: {} ({})",
                                               *list.at, snapshot.error().oldest)
                                 : "The provided continue parameter is too old to display a consistent list result. "
                                   "You can start a new list without the continue parameter."));
  }
  std::string token;
  if (snapshot->more) token = print(Continuation{snapshot->revision, snapshot->objects.back()->key});
  Response response{.content_type = resource.rendering.content_type()};
  response.stream =
      std::make_unique<ListStream>(std::move(*snapshot), resource.rendering, std::move(token), context.now());
  return response;
}

ApiResult<Response> watch_objects(const ApiContext& context, const ResourceRequest& resource) {
  const auto& query = resource.request.query;
  auto selection = selection_of(resource);
  if (!selection) return net::fail(selection.error());
  const auto revision = number<std::uint64_t>(query, "resourceVersion");
  if (!revision) return net::fail(revision.error());
  const auto timeout = number<std::uint32_t>(query, "timeoutSeconds");
  if (!timeout) return net::fail(timeout.error());
  const auto initial = query.flag("sendInitialEvents");
  if (initial && query.get("resourceVersionMatch") != "NotOlderThan") {
    return net::fail(bad_request("sendInitialEvents requires resourceVersionMatch=NotOlderThan"));
  }

  WatchStream::Options options{.kind = resource.key.kind, .selection = std::move(*selection)};
  options.bookmarks = query.flag("allowWatchBookmarks") ? WatchStream::Bookmarks::Sent : WatchStream::Bookmarks::None;
  options.lasts = longest_watch;
  if (*timeout && **timeout > 0)
    options.lasts = std::min<std::chrono::seconds>(longest_watch, std::chrono::seconds{**timeout});
  // Without a revision the watch begins with what there is; so does one that asks for "0".
  const auto from_now = revision->value_or(0) == 0;
  const auto none_asked_for = query.has("sendInitialEvents") && !initial;
  if (initial || (from_now && !none_asked_for)) {
    auto snapshot = context.store.list({.kind = options.kind, .filter = options.selection});
    if (!snapshot) return net::fail(internal_error("the store has no current state"));
    options.initial = std::move(*snapshot);
    options.marks_end_of_initial = initial;
  } else {
    options.initial.revision = from_now ? context.store.revision(options.kind) : **revision;
  }
  Response response{.content_type = resource.rendering.content_type()};
  response.stream = std::make_unique<WatchStream>(context, std::move(options), resource.rendering);
  return response;
}

}  // namespace controller
