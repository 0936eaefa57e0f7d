// SPDX-License-Identifier: Apache-2.0
#include "controller/api/writing.hpp"

#include <charconv>

#include <fmt/format.h>

#include "controller/api/admission.hpp"
#include "controller/api/apply.hpp"
#include "controller/api/body.hpp"
#include "controller/api/lookup.hpp"
#include "controller/api/patch.hpp"
#include "controller/api/reading.hpp"
#include "controller/store/metadata.hpp"

namespace controller {
namespace {

using config::Kind;
using nlohmann::json;

enum class DryRun : std::uint8_t { No, Yes };

ApiResult<DryRun> dry_run(std::string_view asked) {
  if (asked.empty()) return DryRun::No;
  if (asked == "All") return DryRun::Yes;
  return net::fail(bad_request(fmt::format("dryRun must be \"All\", got \"{}\"", asked)));
}

void refuse(const Respond& respond, const ApiError& error) {
  respond(to_response(error));
}

// A header that kubectl shows as "Warning: ...", RFC 7234 section 5.5.
std::pair<std::string, std::string> warning(std::string text) {
  std::erase_if(text, [](char c) { return static_cast<unsigned char>(c) < ' '; });
  for (std::size_t at = 0; (at = text.find_first_of("\"\\", at)) != std::string::npos; at += 2) text.insert(at, "\\");
  return {"Warning", fmt::format("299 - \"{}\"", text)};
}

// Checks the object, writes it, or pretends to, and answers with it.
void finish(const ApiContext& context, const ResourceRequest& resource, Write write, DryRun dry, Respond respond) {
  auto warnings = context.admission.check(write.key, write.value, context.now());
  if (!warnings) return refuse(respond, warnings.error());
  const auto status = write.verb == Write::Verb::Create ? 201U : 200U;
  auto answer = [rendering = resource.rendering, key = write.key, status, now = context.now,
                 warnings = std::move(*warnings), respond = std::move(respond)](const WriteResult& result) {
    if (!result) return refuse(respond, from_store(result.error(), config::info(key.kind), key.name));
    Response response{
        .status = status, .content_type = rendering.content_type(), .body = rendering.single(**result, now())};
    for (const auto& text : warnings) response.headers.push_back(warning(text));
    respond(std::move(response));
  };
  if (dry == DryRun::Yes) return answer(context.store.preview(write));
  std::vector<Write> batch;
  batch.push_back(std::move(write));
  context.store.write(std::move(batch), [answer = std::move(answer)](const std::vector<WriteResult>& results) {
    answer(results.front());
  });
}

// A revision that the client has in mind; none when it names none.
ApiResult<std::optional<std::uint64_t>> revision_in(const json& value) {
  if (value.is_null() || value == "" || value == "0") return std::optional<std::uint64_t>{};
  std::uint64_t revision = 0;
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), revision);
    if (error == std::errc{} && end == text.data() + text.size()) return std::optional{revision};
  }
  return net::fail(bad_request(fmt::format("resourceVersion must be a number as text, got {}", value.dump())));
}

ApiResult<void> check_namespace(const ApiContext& context, const ObjectKey& key) {
  if (key.namespace_name.empty()) return {};
  const ObjectKey owner{Kind::Namespace, {}, key.namespace_name};
  if (context.store.latest(owner)) return {};
  return net::fail(not_found(config::info(Kind::Namespace), key.namespace_name));
}

// The object as it was, with the part that the request's path is about taken from `wanted`.
json part_taken(const ResourceRequest& resource, const json& before, const json& wanted) {
  if (!has_status(resource.key.kind)) return wanted;
  const auto status_only = resource.subresource == "status";
  const auto& from = status_only ? wanted : before;
  auto result = status_only ? before : wanted;
  const auto status = from.find("status");
  if (status != from.end()) {
    result["status"] = json(*status);
  } else {
    result.erase("status");
  }
  return result;
}

// A Secret that says it is immutable.
ApiResult<void> check_immutable(const ObjectKey& key, const json& before, const json& after) {
  if (key.kind != Kind::Secret || lookup(before, "immutable") != true) return {};
  if (lookup(before, "data") == lookup(after, "data") && lookup(after, "immutable") == true) return {};
  return net::fail(
      invalid(config::info(key.kind), key.name, {{{}, {}, "data", "cannot be changed while the secret is immutable"}}));
}

// What replace, patch and apply have in common once they know what the client wants the object to be.
void update(const ApiContext& context, const ResourceRequest& resource, const json& before, json wanted, DryRun dry,
            Respond respond) {
  auto key = resource.key;
  if (auto agrees = agree_with_path(wanted, key); !agrees) return refuse(respond, agrees.error());
  const auto revision = revision_in(lookup(wanted, "metadata.resourceVersion"));
  if (!revision) return refuse(respond, revision.error());
  Write write{.verb = Write::Verb::Replace, .key = key, .if_revision = *revision};
  write.if_uid = text_at(wanted, "metadata.uid");

  write.value = part_taken(resource, before, wanted);
  apply_defaults(key.kind, write.value);
  if (auto fine = check_immutable(key, before, write.value); !fine) return refuse(respond, fine.error());
  finish(context, resource, std::move(write), dry, std::move(respond));
}

void create(const ApiContext& context, const ResourceRequest& resource, json object, DryRun dry, Respond respond) {
  auto key = resource.key;
  if (auto agrees = agree_with_path(object, key); !agrees) return refuse(respond, agrees.error());
  if (!lookup(object, "metadata.resourceVersion").is_null() && text_at(object, "metadata.resourceVersion") != "") {
    return refuse(respond, bad_request("resourceVersion should not be set on objects to be created"));
  }
  if (key.name.empty()) {
    const auto prefix = text_at(object, "metadata.generateName");
    if (!prefix.empty()) key.name = prefix + random_suffix(5);
    object["metadata"]["name"] = key.name;
  }
  if (auto known = check_namespace(context, key); !known) return refuse(respond, known.error());
  // Status is for controllers to say. Nodes come with theirs where no kubelet sends it.
  if (has_status(key.kind) && key.kind != Kind::Node) object.erase("status");
  apply_defaults(key.kind, object);
  finish(context, resource, {.verb = Write::Verb::Create, .key = key, .value = std::move(object)}, dry,
         std::move(respond));
}

void apply_object(const ApiContext& context, const ResourceRequest& resource, const json& before, DryRun dry,
                  Respond respond) {
  const auto& request = resource.request;
  Apply apply{.configuration = {}, .manager = std::string{request.query.get("fieldManager")}};
  if (apply.manager.empty()) {
    return refuse(respond,
                  {422, "Invalid", "fieldManager: Required value: is required for apply patch", json::object()});
  }
  if (request.query.flag("force")) apply.conflicts = Apply::Conflicts::TakeOver;
  // JSON is YAML; clients that send it get better positions in errors this way.
  auto decoded = request.body.starts_with('{') ? decode_json(request.body) : decode_yaml(request.body);
  if (decoded && !decoded->is_object()) decoded = net::fail(bad_request("the body of the request is not an object"));
  if (!decoded) return refuse(respond, decoded.error());
  apply.configuration = std::move(*decoded);

  auto key = resource.key;
  if (auto agrees = agree_with_path(apply.configuration, key); !agrees) return refuse(respond, agrees.error());
  const auto revision = lookup(apply.configuration, "metadata.resourceVersion");
  auto applied = server_side_apply(before, apply, resource.key, context.now());
  if (!applied) return refuse(respond, applied.error());
  if (before.is_null()) return create(context, resource, std::move(*applied), dry, std::move(respond));
  if (!revision.is_null()) (*applied)["metadata"]["resourceVersion"] = revision;
  update(context, resource, before, std::move(*applied), dry, std::move(respond));
}

struct DeleteOptions {
  DryRun dry = DryRun::No;
  std::string uid;
  std::optional<std::uint64_t> revision;
};

// From the query and, where there is one, the body. Propagation and grace period mean nothing here: no object
// owns another.
ApiResult<DeleteOptions> delete_options(const Request& request) {
  DeleteOptions options;
  auto asked = std::string{request.query.get("dryRun")};
  if (!request.body.empty()) {
    auto body = decode_object(request);
    if (!body) return net::fail(body.error());
    options.uid = text_at(*body, "preconditions.uid");
    auto revision = revision_in(lookup(*body, "preconditions.resourceVersion"));
    if (!revision) return net::fail(revision.error());
    options.revision = *revision;
    if (const auto& in_body = lookup(*body, "dryRun"); in_body.is_array() && !in_body.empty()) {
      asked = in_body.front().is_string() ? in_body.front().get<std::string>() : in_body.front().dump();
    }
  }
  const auto dry = dry_run(asked);
  if (!dry) return net::fail(dry.error());
  options.dry = *dry;
  return options;
}

Write deletion(const ObjectKey& key) {
  return {.verb = Write::Verb::Delete, .key = key};
}

// A namespace goes with all that is in it, in one transaction. Objects with finalizers have to go first.
ApiResult<std::vector<Write>> namespace_deletion(const ApiContext& context, const ObjectKey& key) {
  const auto& kind = config::info(Kind::Namespace);
  if (key.name == "default") {
    return net::fail(ApiError{403,
                              "Forbidden",
                              "namespaces \"default\" is forbidden: this namespace may not be deleted",
                              {{"name", key.name}, {"kind", kind.plural}}});
  }
  std::vector<Write> batch;
  for (const auto& inside : config::all_kinds()) {
    if (!inside.namespaced()) continue;
    const auto contents = context.store.list({.kind = inside.kind, .namespace_name = key.name});
    if (!contents) continue;
    for (const auto& object : contents->objects) {
      if (has_finalizers(*object)) {
        return net::fail(
            conflict(kind, key.name,
                     fmt::format("{} \"{}\" in it has finalizers; delete it, and the namespace when it is gone",
                                 inside.plural, object->key.name)));
      }
      batch.push_back(deletion(object->key));
    }
  }
  return batch;
}

}  // namespace

void create_object(const ApiContext& context, const ResourceRequest& resource, Respond respond) {
  const auto dry = dry_run(resource.request.query.get("dryRun"));
  if (!dry) return refuse(respond, dry.error());
  auto object = decode_object(resource.request);
  if (!object) return refuse(respond, object.error());
  create(context, resource, std::move(*object), *dry, std::move(respond));
}

void replace_object(const ApiContext& context, const ResourceRequest& resource, Respond respond) {
  const auto dry = dry_run(resource.request.query.get("dryRun"));
  if (!dry) return refuse(respond, dry.error());
  auto object = decode_object(resource.request);
  if (!object) return refuse(respond, object.error());
  const auto current = context.store.latest(resource.key);
  if (!current) return refuse(respond, not_found(resource.kind(), resource.key.name));
  const auto before = json::parse(current->text, nullptr, false);
  update(context, resource, before, std::move(*object), *dry, std::move(respond));
}

void patch_object(const ApiContext& context, const ResourceRequest& resource, Respond respond) {
  const auto dry = dry_run(resource.request.query.get("dryRun"));
  if (!dry) return refuse(respond, dry.error());
  const auto type = media_type(resource.request.content_type);
  const auto current = context.store.latest(resource.key);
  const auto before = current ? json::parse(current->text, nullptr, false) : json{};
  if (type == "application/apply-patch+yaml" && (current || resource.subresource.empty())) {
    return apply_object(context, resource, before, *dry, std::move(respond));
  }
  if (!current) return refuse(respond, not_found(resource.kind(), resource.key.name));

  auto patched = apply_patch(before, resource.kind(), type, resource.request.body);
  if (!patched) return refuse(respond, patched.error());
  update(context, resource, before, std::move(*patched), *dry, std::move(respond));
}

void delete_object(const ApiContext& context, const ResourceRequest& resource, Respond respond) {
  const auto options = delete_options(resource.request);
  if (!options) return refuse(respond, options.error());
  std::vector<Write> batch;
  if (resource.key.kind == Kind::Namespace) {
    auto contents = namespace_deletion(context, resource.key);
    if (!contents) return refuse(respond, contents.error());
    batch = std::move(*contents);
  }
  auto last = deletion(resource.key);
  last.if_uid = options->uid;
  last.if_revision = options->revision;

  auto answer = [rendering = resource.rendering, &kind = resource.kind(), name = resource.key.name, now = context.now,
                 respond = std::move(respond)](const WriteResult& result) {
    if (!result) return refuse(respond, from_store(result.error(), kind, name));
    // What waits for its finalizers is still there, and shown.
    const auto gone = !has_finalizers(**result);
    if (gone) return respond(deleted(kind, name, (*result)->uid));
    respond({.content_type = rendering.content_type(), .body = rendering.single(**result, now())});
  };
  // Checked first, so that a namespace that may not go does not lose what is in it.
  auto preview = context.store.preview(last);
  if (options->dry == DryRun::Yes || !preview) return answer(preview);
  batch.push_back(std::move(last));
  context.store.write(std::move(batch), [answer = std::move(answer)](const std::vector<WriteResult>& results) {
    answer(results.back());
  });
}

void delete_collection(const ApiContext& context, const ResourceRequest& resource, Respond respond) {
  const auto options = delete_options(resource.request);
  if (!options) return refuse(respond, options.error());
  auto selection = selection_of(resource);
  if (!selection) return refuse(respond, selection.error());
  if (resource.key.kind == Kind::Namespace) return refuse(respond, method_not_allowed());
  const auto matching = context.store.list({.kind = resource.key.kind, .filter = std::move(*selection)});
  if (!matching) return refuse(respond, internal_error("the store has no current state"));
  if (options->dry == DryRun::Yes || matching->objects.empty()) return respond(deleted(resource.kind(), {}, {}));

  std::vector<Write> batch;
  for (const auto& object : matching->objects) batch.push_back(deletion(object->key));
  context.store.write(std::move(batch), [&kind = resource.kind(), respond = std::move(respond)](const auto& results) {
    for (const auto& result : results) {
      // Somebody else was faster with some of them.
      if (result || result.error().code == WriteError::Code::NotFound) continue;
      return refuse(respond, from_store(result.error(), kind, {}));
    }
    respond(deleted(kind, {}, {}));
  });
}

}  // namespace controller
