// SPDX-License-Identifier: Apache-2.0
#include "controller/kubernetes/mirror.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "config/source/kubernetes_kinds.hpp"
#include "controller/allocation/service_view.hpp"
#include "controller/json_member.hpp"
#include "controller/store/metadata.hpp"

namespace controller {
namespace {

using config::Kind;
using nlohmann::json;

std::uint64_t revision_of(const json& object) {
  const auto text = member_text(member(object, "metadata"), "resourceVersion");
  std::uint64_t revision = 0;
  std::from_chars(text.data(), text.data() + text.size(), revision);
  return revision;
}

}  // namespace

class Mirror::Sink final : public config::CollectionSink {
 public:
  Sink(Mirror& mirror, const config::KindInfo& kind, std::string api_version)
      : mirror_{mirror}, kind_{kind}, api_version_{std::move(api_version)} {}

  void begin_list() override { page_.clear(); }

  net::Result<Page, std::string> take_page(std::string_view body) override {
    auto list = json::parse(body, nullptr, false);
    if (list.is_discarded()) return net::fail(std::string{"the list is not JSON"});
    const auto items = list.find("items");
    if (items != list.end() && items->is_array())
      for (auto& item : *items) page_.push_back(std::move(item));
    const auto& metadata = member(list, "metadata");
    return Page{member_text(metadata, "continue"), member_text(metadata, "resourceVersion")};
  }

  void end_list() override {
    std::set<ObjectKey> seen;
    for (auto& item : page_) {
      const auto key = key_of(item);
      seen.insert(key);
      mirror_.put(key, complete(std::move(item)), Age::Any);
    }
    page_.clear();
    for (const auto& key : known_)
      if (!seen.contains(key)) mirror_.erase(key);
    known_ = std::move(seen);
    mirror_.publish(kind_.kind);
    mirror_.listed(kind_.kind);
  }

  net::Result<Event, std::string> take_event(std::string_view line) override {
    using Type = Event::Type;
    auto event = json::parse(line, nullptr, false);
    if (event.is_discarded()) return net::fail(std::string{"an event is not JSON"});
    const auto type = member_text(event, "type");
    auto& object = event["object"];
    if (type == "ERROR") {
      const auto& code = member(object, "code");
      return Event{code == 410 ? Type::Forgotten : Type::Error, {}, member_text(object, "message")};
    }
    Event out{type == "BOOKMARK" ? Type::Bookmark : Type::Changed,
              member_text(member(object, "metadata"), "resourceVersion"),
              {}};
    if (out.type == Type::Bookmark) return out;
    const auto key = key_of(object);
    if (type == "DELETED") {
      known_.erase(key);
      mirror_.erase(key);
    } else {
      known_.insert(key);
      mirror_.put(key, complete(std::move(object)), Age::Newer);
    }
    return out;
  }

  void end_events() override { mirror_.publish(kind_.kind); }
  [[nodiscard]] bool empty() const override { return known_.empty(); }

 private:
  // MetalLB's pools keep their namespace, which tells them from ours.
  [[nodiscard]] ObjectKey key_of(const json& object) const {
    const auto& metadata = member(object, "metadata");
    return {kind_.kind, member_text(metadata, "namespace"), member_text(metadata, "name")};
  }

  // Items of a list say neither their kind nor their version; who manages which field is of no use here and long.
  [[nodiscard]] json complete(json object) const {
    if (!object.contains("kind")) object["kind"] = kind_.name;
    if (!object.contains("apiVersion")) object["apiVersion"] = api_version_;
    object["metadata"].erase("managedFields");
    return object;
  }

  Mirror& mirror_;
  const config::KindInfo& kind_;
  std::string api_version_;
  std::vector<json> page_;
  std::set<ObjectKey> known_;
};

struct Mirror::Collection {
  Collection(Mirror& mirror, const config::KindInfo& kind, std::string api_version,
             config::CollectionFollower::Options options)
      : sink{mirror, kind, std::move(api_version)},
        follower{mirror.executor_, std::move(options), sink, mirror.listener_.event} {}
  Sink sink;
  config::CollectionFollower follower;
};

Mirror::Mirror(const boost::asio::any_io_executor& executor, Options options, StatusWriter::Gate may_write,
               Listener listener)
    : executor_{executor},
      options_{std::move(options)},
      listener_{std::move(listener)},
      writer_{executor,
              options_.endpoint,
              std::move(may_write),
              {.find = [this](const ObjectKey& key) { return get(key); },
               .learned =
                   [this](const ObjectKey& key, json object) {
                     if (get(key) == nullptr) return;  // deleted meanwhile
                     object["metadata"].erase("managedFields");
                     put(key, object, Age::Newer);
                     publish(key.kind);
                   },
               .event = listener_.event,
               .metallb_namespace = options_.metallb_namespace}} {
  // Services first: see refresh(). Of kinds that are there for their status alone, MetalLB's have none.
  for (const auto kind :
       {Kind::Service, Kind::IPAddressPool, Kind::Namespace, Kind::Community, Kind::BGPPeer, Kind::BGPConfiguration,
        Kind::BGPAdvertisement, Kind::BGPFilter, Kind::BFDProfile, Kind::L2Advertisement}) {
    for (auto& found : config::kubernetes_collections(kind, options_.metallb_namespace)) {
      const auto& info = config::info(kind);
      const auto metallb = found.dialect == config::Dialect::MetalLb;
      if (metallb && kind != Kind::IPAddressPool) continue;
      config::CollectionFollower::Options out;
      out.endpoint = options_.endpoint;
      out.title = std::move(found.title);
      out.paths = std::move(found.paths);
      out.presence = found.optional ? config::CollectionFollower::Presence::Optional
                                    : config::CollectionFollower::Presence::Required;
      out.ready_path = "/readyz";
      collections_.push_back(std::make_unique<Collection>(
          *this, info, metallb ? "metallb.io/v1beta1" : std::string{info.api_version}, std::move(out)));
    }
  }
}

Mirror::~Mirror() = default;

void Mirror::start() {
  for (const auto& collection : collections_) collection->follower.start();
}

void Mirror::stop() {
  for (const auto& collection : collections_) collection->follower.stop();
  writer_.stop();
}

bool Mirror::current() const {
  return synced_ &&
         std::ranges::none_of(collections_, [](const auto& one) { return one->follower.stale_since().has_value(); });
}

void Mirror::refresh(std::function<void()> done) {
  refreshed_ = std::move(done);
  collections_.front()->follower.refresh();
}

void Mirror::listed(Kind kind) {
  if (kind == Kind::Service && refreshed_) std::exchange(refreshed_, nullptr)();
  if (synced_ || !std::ranges::all_of(collections_, [](const auto& one) { return one->follower.listed(); })) return;
  synced_ = true;
  if (listener_.synced) listener_.synced();
}

void Mirror::put(const ObjectKey& key, const json& object, Age age) {
  auto& kind = state(key.kind);
  const auto revision = revision_of(object);
  auto& slot = kind.objects[key];
  if (slot != nullptr && (slot->revision == revision || (age == Age::Newer && slot->revision > revision))) return;
  auto before = std::exchange(slot, make_object(key, object, revision));
  if (before != nullptr) note_releases(*before, slot.get());
  kind.history.push_back(
      {before == nullptr ? Change::Type::Added : Change::Type::Modified, ++kind.revision, slot, std::move(before)});
}

void Mirror::erase(const ObjectKey& key) {
  auto& kind = state(key.kind);
  const auto found = kind.objects.find(key);
  if (found == kind.objects.end()) return;
  note_releases(*found->second, nullptr);
  kind.history.push_back({Change::Type::Deleted, ++kind.revision, found->second, found->second});
  kind.objects.erase(found);
}

void Mirror::note_releases(const Object& before, const Object* after) {
  if (before.key.kind != Kind::Service || before.text.find("\"ingress\"") == std::string::npos) return;
  auto lost = held_addresses(Kind::Service, before.text);
  if (lost.empty()) return;
  if (after != nullptr) {
    const auto kept = held_addresses(Kind::Service, after->text);
    std::erase_if(lost, [&](const auto& address) { return std::ranges::find(kept, address) != kept.end(); });
  }
  const auto now = std::chrono::system_clock::now();
  for (auto& address : lost)
    releases_.push_back({std::move(address), before.key.namespace_name + "/" + before.key.name, now});
  while (releases_.size() > most_releases) releases_.pop_front();
}

void Mirror::forget_releases(std::chrono::system_clock::time_point before) {
  while (!releases_.empty() && releases_.front().at < before) releases_.pop_front();
}

void Mirror::publish(Kind kind_of_change) {
  auto& kind = state(kind_of_change);
  const auto keep = std::max(most_history, kind.objects.size());
  while (kind.history.size() > keep) kind.history.pop_front();
  if (!synced_) return;
  for (const auto& [id, wake] : std::map{kind.wakes}) wake();
}

ObjectPtr Mirror::get(const ObjectKey& key) const {
  const auto& kind = state(key.kind);
  const auto found = kind.objects.find(key);
  return found == kind.objects.end() ? nullptr : found->second;
}

ObjectPtr Mirror::latest(const ObjectKey& key) const {
  auto found = get(key);
  if (found != nullptr || key.kind != Kind::IPAddressPool || !key.namespace_name.empty()) return found;
  return get({key.kind, options_.metallb_namespace, key.name});
}

net::Result<Snapshot, Expired> Mirror::list(const ListQuery& query) const {
  const auto& kind = state(query.kind);
  Snapshot out{kind.revision, {}, false};
  for (const auto& [key, object] : kind.objects) {
    if (!query.namespace_name.empty() && key.namespace_name != query.namespace_name) continue;
    if (query.filter && !query.filter(*object)) continue;
    out.objects.push_back(object);
  }
  return out;
}

std::uint64_t Mirror::revision(Kind kind) const {
  return state(kind).revision;
}

std::size_t Mirror::count(Kind kind) const {
  return state(kind).objects.size();
}

net::Result<std::vector<Change>, Expired> Mirror::changes(Kind kind, std::uint64_t revision, std::size_t limit) const {
  const auto& history = state(kind).history;
  const auto oldest = history.empty() ? state(kind).revision + 1 : history.front().revision;
  if (revision + 1 < oldest) return net::fail(Expired{oldest});
  const auto skip = std::min<std::uint64_t>(revision + 1 - oldest, history.size());
  const auto begin = history.begin() + static_cast<std::ptrdiff_t>(skip);
  const auto left = static_cast<std::size_t>(history.end() - begin);
  return std::vector<Change>(begin, begin + static_cast<std::ptrdiff_t>(std::min(left, limit)));
}

Subscription Mirror::subscribe(Kind kind, std::function<void()> wake) {
  const auto id = ++next_wake_;
  state(kind).wakes.emplace(id, std::move(wake));
  return Subscription{[this, kind, id] { state(kind).wakes.erase(id); }};
}

void Mirror::write(std::vector<Write> batch, Done done) {
  writer_.write(std::move(batch), std::move(done));
}

}  // namespace controller
