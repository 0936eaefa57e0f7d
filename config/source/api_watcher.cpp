// SPDX-License-Identifier: Apache-2.0
#include "config/source/api_watcher.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "config/document.hpp"
#include "config/source/collection_follower.hpp"
#include "config/source/kubernetes_kinds.hpp"

namespace config {
namespace {

std::string text_at(const Value& value, std::string_view key) {
  const auto* member = value.find(key);
  return member == nullptr ? std::string{} : member->value.text;
}

const Value& mapping_at(const Value& value, std::string_view key) {
  static const Value nothing;
  const auto* member = value.find(key);
  return member == nullptr ? nothing : member->value;
}

}  // namespace

// Lists and events of one collection as objects; what is known of it, by key.
class ApiWatcher::Sink final : public CollectionSink {
 public:
  Sink(ApiWatcher& watcher, const KindInfo& kind) : watcher_{watcher}, kind_{kind} {}

  // The same kind from elsewhere: objects of `first` hide those of the same name in `second`.
  static void rank(Sink& first, Sink& second, CollectionFollower& follower_of_second) {
    second.before_ = &first;
    first.after_ = &second;
    first.after_follower_ = &follower_of_second;
  }

  void begin_list() override {
    changes_ = {};
    seen_.clear();
  }

  net::Result<Page, std::string> take_page(std::string_view body) override {
    const auto page = read_json(body, {});
    if (page.values.empty()) return net::fail(std::string{"the list is not JSON"});
    const auto& metadata = mapping_at(page.values[0], "metadata");
    for (const auto& item : mapping_at(page.values[0], "items").items) add_listed(item);
    return Page{text_at(metadata, "continue"), text_at(metadata, "resourceVersion")};
  }

  void end_list() override {
    for (const auto& [key, version] : known_)
      if (!seen_.contains(key)) remove(key, changes_);
    known_ = std::exchange(seen_, {});
    watcher_.deliver(std::exchange(changes_, {}));
  }

  net::Result<Event, std::string> take_event(std::string_view line) override {
    using Type = Event::Type;
    const auto event = read_json(line, {});
    if (event.values.empty()) return net::fail(std::string{"an event is not JSON"});
    const auto type = text_at(event.values[0], "type");
    const auto& object = mapping_at(event.values[0], "object");
    if (type == "ERROR")
      return Event{text_at(object, "code") == "410" ? Type::Forgotten : Type::Error, {}, text_at(object, "message")};
    auto item = read_item(object, kind_);
    Event out{type == "BOOKMARK" ? Type::Bookmark : Type::Changed, item.resource_version, {}};
    if (out.type == Type::Bookmark) return out;
    item.removed = type == "DELETED";
    latest_.insert_or_assign(item.key, std::move(item));
    return out;
  }

  // What is there is delivered as one difference, of which each object is told its last state.
  void end_events() override {
    Changes changes;
    for (auto& [key, item] : std::exchange(latest_, {})) {
      if (!item.removed) {
        known_.insert_or_assign(key, item.resource_version);
        add(std::move(item), changes);
      } else if (known_.erase(key) > 0) {
        remove(key, changes);
      }
    }
    watcher_.deliver(std::move(changes));
  }

  [[nodiscard]] bool empty() const override { return known_.empty(); }

 private:
  void add_listed(const Value& item) {
    auto read = read_item(item, kind_);
    const auto known = known_.find(read.key);
    const bool same = known != known_.end() && !read.resource_version.empty() && known->second == read.resource_version;
    seen_.insert_or_assign(read.key, read.resource_version);
    if (!same) add(std::move(read), changes_);
  }

  void add(ReadItem read, Changes& changes) const {
    if (before_ != nullptr && before_->known_.contains(read.key)) {
      watcher_.tell(std::string{kind_.name} + " " + read.key + " of MetalLB is hidden by ours of the same name");
      return;
    }
    if (read.object) {
      if (watcher_.options_.reduce) watcher_.options_.reduce(*read.object);
      changes.set.push_back(*std::move(read.object));
    } else {
      changes.refused.push_back({{kind_.kind, std::move(read.key)}, std::move(read.problems)});
    }
  }

  void remove(const std::string& key, Changes& changes) {
    if (before_ != nullptr && before_->known_.contains(key)) return;
    if (after_ != nullptr && after_->known_.contains(key)) {
      // The other one is what counts from now on; it is read again, since it was not kept.
      after_->known_[key].clear();
      after_follower_->refresh();
      return;
    }
    changes.removed.push_back({kind_.kind, key});
  }

  ApiWatcher& watcher_;
  const KindInfo& kind_;
  Sink* before_ = nullptr;
  Sink* after_ = nullptr;
  CollectionFollower* after_follower_ = nullptr;
  std::map<std::string, std::string> known_;  // key -> resourceVersion
  std::map<std::string, std::string> seen_;   // the same, of the list under way
  Changes changes_;                           // of the list under way
  std::map<std::string, ReadItem> latest_;
};

struct ApiWatcher::Collection {
  Collection(ApiWatcher& watcher, const KindInfo& kind, CollectionFollower::Options options)
      : sink{watcher, kind}, follower{watcher.executor_, std::move(options), sink, [&watcher](const std::string& what) {
                                        watcher.tell(what);
                                      }} {}
  Sink sink;
  CollectionFollower follower;
};

ApiWatcher::ApiWatcher(boost::asio::any_io_executor executor, Options options, OnChange on_change)
    : executor_{std::move(executor)}, options_{std::move(options)}, on_change_{std::move(on_change)} {
  for (const auto kind : options_.kinds) {
    if (options_.kubernetes)
      add_kubernetes(kind, *options_.kubernetes);
    else
      add_collection(kind, std::string{info(kind).plural}, {collection_path(info(kind))}, false);
  }
}

ApiWatcher::~ApiWatcher() = default;

void ApiWatcher::add_kubernetes(Kind kind, const Options::Kubernetes& kubernetes) {
  if (kind == Kind::Secret) {
    secrets_ = std::make_unique<NamedSecrets>(
        executor_, options_.endpoint, kubernetes.secret_interval,
        [this](Changes changes) { deliver(std::move(changes)); }, [this](const std::string& what) { tell(what); });
    return;
  }
  Sink* own = nullptr;
  for (auto& collection : kubernetes_collections(kind, kubernetes.metallb_namespace)) {
    auto& sink = add_collection(kind, std::move(collection.title), std::move(collection.paths), collection.optional);
    if (own != nullptr) Sink::rank(*own, sink, collections_.back()->follower);
    own = &sink;
  }
}

ApiWatcher::Sink& ApiWatcher::add_collection(Kind kind, std::string title, std::vector<std::string> paths,
                                             bool optional) {
  CollectionFollower::Options out;
  out.endpoint = options_.endpoint;
  out.title = std::move(title);
  out.paths = std::move(paths);
  out.presence = optional ? CollectionFollower::Presence::Optional : CollectionFollower::Presence::Required;
  out.request_timeout = options_.request_timeout;
  out.silence = options_.silence;
  out.first_retry = options_.first_retry;
  out.last_retry = options_.last_retry;
  out.page_size = options_.page_size;
  if (options_.kubernetes) {
    out.ready_path = "/readyz";
    out.absent_retry = options_.kubernetes->absent_retry;
  }
  collections_.push_back(std::make_unique<Collection>(*this, info(kind), std::move(out)));
  return collections_.back()->sink;
}

void ApiWatcher::start() {
  for (const auto& collection : collections_) collection->follower.start();
  if (secrets_) secrets_->start();
}

void ApiWatcher::stop() {
  for (const auto& collection : collections_) collection->follower.stop();
  if (secrets_) secrets_->stop();
}

void ApiWatcher::tell(const std::string& what) const {
  if (on_event) on_event(what);
}

void ApiWatcher::deliver(Changes changes) {
  if (secrets_) secrets_->follow(changes);
  if (!synced_) {
    if (!changes.empty()) first_.push_back(std::move(changes));
    if (!std::ranges::all_of(collections_, [](const auto& one) { return one->follower.listed(); })) return;
    synced_ = true;
    return on_change_(together(std::exchange(first_, {})));
  }
  if (!changes.empty()) on_change_(std::move(changes));
}

ApiWatcher::Health ApiWatcher::health() const {
  Health health;
  health.synced = synced_;
  health.running = secrets_ && secrets_->running();
  for (const auto& collection : collections_) {
    const auto& follower = collection->follower;
    health.running = health.running || follower.running();
    health.relists += follower.relists();
    health.failures += follower.failures();
    const auto since = follower.stale_since();
    if (since && (!health.stale_since || *since < *health.stale_since)) health.stale_since = since;
    if (!follower.error().empty()) health.last_error = follower.error();
  }
  return health;
}

}  // namespace config
