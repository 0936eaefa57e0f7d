// SPDX-License-Identifier: Apache-2.0
#include "controller/allocation/loop.hpp"

#include <algorithm>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "config/object.hpp"
#include "controller/allocation/pool_status.hpp"

namespace controller {
namespace {

using nlohmann::json;

constexpr std::size_t slice = 500;         // services looked at before other events have their turn
constexpr std::size_t most_batches = 8;    // on their way to the disk at once
constexpr std::size_t most_events = 5000;  // kept; the oldest goes when another comes
constexpr auto forget_interval = std::chrono::minutes{1};

std::string timestamp(std::chrono::system_clock::time_point now) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(now)));
}

json parsed(const Object& object) {
  return json::parse(object.text, nullptr, false);
}

// By value: the list is a temporary, and a loop must not outlive it.
std::vector<ObjectPtr> all(const Objects& store, config::Kind kind) {
  return std::move(store.list({.kind = kind})->objects);
}

}  // namespace

AllocationLoop::AllocationLoop(Objects& store, std::string load_balancer_class, AllocationClocks clocks,
                               std::function<void(std::function<void()>)> post)
    : store_{store}, reconciler_{std::move(load_balancer_class)}, clocks_{std::move(clocks)}, post_{std::move(post)} {}

void AllocationLoop::start() {
  load_namespaces();
  load_pools();
  const auto services = store_.list({.kind = config::Kind::Service});
  services_seen_ = services->revision;
  auto oldest_first = services->objects;
  std::stable_sort(oldest_first.begin(), oldest_first.end(),
                   [](const ObjectPtr& a, const ObjectPtr& b) { return a->revision < b->revision; });
  const auto now = clocks_.steady();
  for (const auto& object : oldest_first) reconciler_.adopt(parsed(*object), now);
  recall_released(now);
  for (const auto& object : oldest_first) enqueue(object->key);
  for (const auto& event : all(store_, config::Kind::Event)) events_.push_back(event->key);

  subscriptions_.push_back(store_.subscribe(config::Kind::Service, [this] { follow_services(); }));
  for (const auto kind : {config::Kind::IPAddressPool, config::Kind::Namespace})
    subscriptions_.push_back(store_.subscribe(kind, [this] { follow_policy(); }));
  schedule();
}

std::vector<std::string> AllocationLoop::pools() const {
  return {pools_.begin(), pools_.end()};
}

// Quarantines go on where they were: what was given up is on record with the time of day.
void AllocationLoop::recall_released(net::TimePoint now) {
  const auto wall = clocks_.wall();
  for (const auto& release : store_.releases()) {
    const auto address = net::parse_ip(release.what);
    if (!address) continue;
    const auto ago = std::chrono::duration_cast<net::TimePoint::duration>(wall - release.at);
    reconciler_.recall(release.holder, *address, now - ago, now);
  }
}

void AllocationLoop::follow_services() {
  for (;;) {
    const auto changes = store_.changes(config::Kind::Service, services_seen_, slice);
    if (!changes) {  // more happened than the history holds: look at all of them
      services_seen_ = store_.revision(config::Kind::Service);
      enqueue_all();
      break;
    }
    if (changes->empty()) break;
    for (const auto& change : *changes) {
      services_seen_ = change.revision;
      enqueue(change.object->key);
    }
  }
  schedule();
}

// Our own writes of a pool's status come by here with every assignment: only what they do not touch is a reason to look
// at all services again.
void AllocationLoop::follow_policy() {
  const auto namespaces_changed = load_namespaces();
  if (load_pools() || namespaces_changed) enqueue_all();
  schedule();
}

bool AllocationLoop::load_namespaces() {
  std::map<std::string, config::Labels> now;
  for (const auto& object : all(store_, config::Kind::Namespace)) {
    const auto read = config::read_object(parsed(*object));
    if (!read.objects.empty()) now.emplace(object->key.name, config::meta_of(read.objects.front()).labels);
  }
  if (now == namespaces_) return false;
  for (const auto& [name, labels] : namespaces_)
    if (!now.contains(name)) reconciler_.remove_namespace(name);
  for (const auto& [name, labels] : now) reconciler_.set_namespace(name, labels);
  namespaces_ = std::move(now);
  return true;
}

bool AllocationLoop::load_pools() {
  std::map<std::string, config::IPAddressPool> pools;
  std::map<std::string, std::string> specs;
  std::vector<std::pair<net::AddressRange, std::string>> taken;
  for (const auto& object : all(store_, config::Kind::IPAddressPool)) {
    const auto read = config::read_object(parsed(*object));
    if (read.objects.empty()) continue;
    const auto& pool = std::get<config::IPAddressPool>(read.objects.front());
    // The API refuses pools that overlap; of two that got past it, the first by name holds.
    const auto overlaps = std::any_of(taken.begin(), taken.end(), [&](const auto& other) {
      return std::any_of(pool.addresses.begin(), pool.addresses.end(),
                         [&](const auto& range) { return range.overlaps(other.first); });
    });
    if (overlaps) continue;
    for (const auto& range : pool.addresses) taken.emplace_back(range, pool.meta.name);
    specs.emplace(pool.meta.name, config::print(read.objects.front())["spec"].dump());
    pools.emplace(pool.meta.name, pool);
  }
  if (specs == pool_specs_) return false;
  pool_specs_ = std::move(specs);
  reconciler_.set_pools(pools);
  pools_.clear();
  for (const auto& [name, pool] : pools) pools_.insert(name);
  touched_pools_ = pools_;
  return true;
}

void AllocationLoop::enqueue(const ObjectKey& key) {
  if (in_flight_.contains(key)) {
    again_.insert(key);
  } else if (queued_.insert(key).second) {
    queue_.push_back(key);
  }
}

void AllocationLoop::enqueue_waiting() {
  for (const auto& key : waiting_) enqueue(key);
}

void AllocationLoop::enqueue_all() {
  for (const auto& object : all(store_, config::Kind::Service)) enqueue(object->key);
  // Deleted ones that no change told of: they are gone from the store and still hold something.
  enqueue_waiting();
}

void AllocationLoop::schedule() {
  if (scheduled_ || batches_ >= most_batches || (queue_.empty() && touched_pools_.empty())) return;
  scheduled_ = true;
  post_([this] { run_slice(); });
}

void AllocationLoop::run_slice() {
  scheduled_ = false;
  std::vector<Write> batch;
  std::vector<ObjectKey> keys;
  for (std::size_t i = 0; i < slice && !queue_.empty(); ++i) {
    const auto key = std::move(queue_.front());
    queue_.pop_front();
    queued_.erase(key);
    if (!reconcile(key, batch)) continue;
    in_flight_.insert(key);
    keys.push_back(key);
  }
  add_pool_status(batch);
  if (!batch.empty()) {
    ++batches_;
    store_.write(std::move(batch), [this, keys](const std::vector<WriteResult>& results) { written(keys, results); });
  }
  schedule();
}

// The writes for the service go to the front of what `keys` counts: see written().
bool AllocationLoop::reconcile(const ObjectKey& key, std::vector<Write>& batch) {
  ++counters_.looked;
  const auto service_name = key.namespace_name + "/" + key.name;
  const auto object = store_.get(key);
  const auto now = clocks_.steady();
  const auto* before = allocator().assignment(service_name);
  const auto pool_before = before == nullptr ? std::string{} : before->pool;
  std::optional<ServiceUpdate> update;
  if (object == nullptr) {
    reconciler_.removed(service_name, now);
    waiting_.erase(key);
  } else {
    update = reconciler_.reconcile(parsed(*object), now, timestamp(clocks_.wall()));
  }
  const auto* after = allocator().assignment(service_name);
  if (!pool_before.empty()) touched_pools_.insert(pool_before);
  if (after != nullptr) touched_pools_.insert(after->pool);
  // What one service gives up may be what another waits for.
  if (!pool_before.empty() && after == nullptr) enqueue_waiting();
  if (after != nullptr || object == nullptr) waiting_.erase(key);
  if (!update) return false;
  if (after == nullptr) waiting_.insert(key);

  batch.push_back({Write::Verb::Merge, key, std::move(update->merge_patch), object->revision, {}});
  for (const auto& event : update->events) {
    event.type == ServiceEvent::Type::Warning ? ++counters_.refused
                                              : counters_.assigned += event.reason == "IPAllocated";
    add_event(*object, event, batch);
  }
  return true;
}

void AllocationLoop::add_event(const Object& service, const ServiceEvent& event, std::vector<Write>& batch) {
  const auto wall = clocks_.wall();
  const auto when = timestamp(wall);
  const auto serial = static_cast<std::uint64_t>(wall.time_since_epoch().count()) + ++event_serial_;
  const ObjectKey key{config::Kind::Event, service.key.namespace_name,
                      fmt::format("{}.{:x}", service.key.name, serial)};
  batch.push_back({Write::Verb::Create,
                   key,
                   {{"apiVersion", "v1"},
                    {"kind", "Event"},
                    {"metadata", {{"name", key.name}, {"namespace", key.namespace_name}}},
                    {"involvedObject",
                     {{"apiVersion", "v1"},
                      {"kind", "Service"},
                      {"namespace", service.key.namespace_name},
                      {"name", service.key.name},
                      {"uid", service.uid}}},
                    {"type", event.type == ServiceEvent::Type::Normal ? "Normal" : "Warning"},
                    {"reason", event.reason},
                    {"message", event.message},
                    {"source", {{"component", "herald-controller"}}},
                    {"reportingComponent", "herald-controller"},
                    {"firstTimestamp", when},
                    {"lastTimestamp", when},
                    {"count", 1}},
                   {},
                   {}});
  events_.push_back(key);
  while (events_.size() > most_events) {
    batch.push_back({Write::Verb::Delete, events_.front(), {}, {}, {}});
    events_.pop_front();
  }
}

void AllocationLoop::add_pool_status(std::vector<Write>& batch) {
  for (const auto& name : std::exchange(touched_pools_, {})) {
    const ObjectKey key{config::Kind::IPAddressPool, "", name};
    const auto object = store_.latest(key);
    if (object == nullptr || !pools_.contains(name)) continue;
    if (auto status = pool_status(allocator(), parsed(*object), timestamp(clocks_.wall())))
      batch.push_back({Write::Verb::Merge, key, {{"status", std::move(*status)}}, {}, {}});
  }
}

// Services that changed between our reading and our writing are looked at again; `results` has other writes between.
void AllocationLoop::written(const std::vector<ObjectKey>& keys, const std::vector<WriteResult>& results) {
  --batches_;
  for (const auto& key : keys) {
    in_flight_.erase(key);
    if (again_.erase(key) != 0) enqueue(key);
  }
  const auto refused = static_cast<std::uint64_t>(std::count_if(results.begin(), results.end(), [](const auto& result) {
    return !result && result.error().code == WriteError::Code::Conflict;
  }));
  if (refused != 0) {
    counters_.conflicts += refused;
    for (const auto& key : keys) enqueue(key);
  }
  schedule();
}

void AllocationLoop::tick() {
  const auto now = clocks_.steady();
  if (now >= forget_due_) {
    forget_due_ = now + forget_interval;
    store_.forget_releases(clocks_.wall() - allocator().longest_quarantine());
  }
  const auto due = next_deadline();
  if (!due || *due > now) return;
  reconciler_.expire(now);
  touched_pools_ = pools_;
  enqueue_waiting();
  schedule();
}

std::optional<net::TimePoint> AllocationLoop::next_deadline() const {
  return allocator().next_expiry();
}

}  // namespace controller
