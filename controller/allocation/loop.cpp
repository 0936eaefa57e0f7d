// SPDX-License-Identifier: Apache-2.0
#include "controller/allocation/loop.hpp"

#include <algorithm>

#include "config/object.hpp"
#include "controller/allocation/pool_status.hpp"
#include "controller/store/json_text.hpp"
#include "controller/store/metadata.hpp"

namespace controller {
namespace {

using nlohmann::json;

constexpr std::size_t slice = 500;         // services looked at before other events have their turn
constexpr std::size_t most_batches = 32;   // on their way to the disk at once
constexpr std::size_t most_events = 5000;  // kept; the oldest goes when another comes
constexpr auto forget_interval = std::chrono::minutes{1};

// Our own writes of a pool's status come by with every assignment, and are no reason to look at all services again.
bool concerns_spec(const Change& change) {
  if (change.type != Change::Type::Modified || change.before == nullptr) return true;
  const auto after = JsonMembers::of(change.object->text);
  const auto before = JsonMembers::of(change.before->text);
  return !after || !before || after->find("spec") != before->find("spec");
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
                               std::function<void(std::function<void()>)> post, net::TimePoint::duration pool_interval)
    : store_{store},
      reconciler_{std::move(load_balancer_class)},
      clocks_{std::move(clocks)},
      post_{std::move(post)},
      pool_interval_{pool_interval} {}

void AllocationLoop::start() {
  load_namespaces();
  load_pools();
  auto services = store_.list({.kind = config::Kind::Service});
  services_seen_ = services->revision;
  auto oldest_first = std::move(services->objects);
  std::stable_sort(oldest_first.begin(), oldest_first.end(),
                   [](const ObjectPtr& a, const ObjectPtr& b) { return a->revision < b->revision; });
  const auto now = clocks_.steady();
  for (auto& object : oldest_first)
    if (reconciler_.adopt(object->text, now) == ServiceReconciler::Adopted::Settled) object.reset();
  recall_released(now);
  for (const auto& object : oldest_first)
    if (object) enqueue(object->key, 0);
  for (const auto& event : all(store_, config::Kind::Event)) events_.push_back(event->key);

  subscriptions_.push_back(store_.subscribe(config::Kind::Service, [this] { follow_services(); }));
  subscriptions_.push_back(store_.subscribe(config::Kind::IPAddressPool, [this] { follow_pools(); }));
  subscriptions_.push_back(store_.subscribe(config::Kind::Namespace, [this] { follow_namespaces(); }));
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

template <class Visit>
bool AllocationLoop::pull(config::Kind kind, std::uint64_t& seen, Visit visit) {
  for (;;) {
    const auto changes = store_.changes(kind, seen, slice);
    if (!changes) {
      seen = store_.revision(kind);
      return false;
    }
    if (changes->empty()) return true;
    for (const auto& change : *changes) {
      seen = change.revision;
      visit(change);
    }
  }
}

void AllocationLoop::follow_services() {
  const auto known = pull(config::Kind::Service, services_seen_,
                          [this](const Change& change) { enqueue(change.object->key, change.object->revision); });
  if (!known) enqueue_all();
  schedule();
}

void AllocationLoop::follow_pools() {
  auto changed = false;
  const auto known = pull(config::Kind::IPAddressPool, pools_seen_,
                          [&](const Change& change) { changed = changed || concerns_spec(change); });
  if ((changed || !known) && load_pools()) enqueue_all();
  schedule();
}

void AllocationLoop::follow_namespaces() {
  auto changed = false;
  const auto known = pull(config::Kind::Namespace, namespaces_seen_, [&](const Change& change) {
    const auto gone = change.type == Change::Type::Deleted;
    changed = (gone ? forget_namespace(change.object->key.name) : load_namespace(*change.object)) || changed;
  });
  if (!known) changed = load_namespaces();
  if (changed) enqueue_all();
  schedule();
}

bool AllocationLoop::load_namespaces() {
  const auto list = store_.list({.kind = config::Kind::Namespace});
  namespaces_seen_ = list->revision;
  auto changed = false;
  std::set<std::string_view> there;
  for (const auto& object : list->objects) {
    there.insert(object->key.name);
    changed = load_namespace(*object) || changed;
  }
  std::vector<std::string> gone;
  for (const auto& [name, labels] : namespaces_)
    if (!there.contains(name)) gone.push_back(name);
  for (const auto& name : gone) changed = forget_namespace(name) || changed;
  return changed;
}

bool AllocationLoop::load_namespace(const Object& object) {
  const auto read = config::read_object(parsed(object));
  if (read.objects.empty()) return forget_namespace(object.key.name);
  auto labels = config::meta_of(read.objects.front()).labels;
  const auto known = namespaces_.find(object.key.name);
  if (known != namespaces_.end() && known->second == labels) return false;
  reconciler_.set_namespace(object.key.name, labels);
  namespaces_[object.key.name] = std::move(labels);
  return true;
}

bool AllocationLoop::forget_namespace(const std::string& name) {
  if (namespaces_.erase(name) == 0) return false;
  reconciler_.remove_namespace(name);
  return true;
}

bool AllocationLoop::load_pools() {
  std::map<std::string, config::IPAddressPool> pools;
  std::map<std::string, std::string> specs;
  std::vector<std::pair<net::AddressRange, std::string>> taken;
  const auto list = store_.list({.kind = config::Kind::IPAddressPool});
  pools_seen_ = list->revision;
  for (const auto& object : list->objects) {
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

void AllocationLoop::enqueue(const ObjectKey& key, std::uint64_t change) {
  auto& entry = *works_.try_emplace(key).first;
  auto& work = entry.second;
  if (work.written) {
    if (change == 0)
      work.again = true;
    else
      work.change = change;
  } else if (!std::exchange(work.queued, true)) {
    queue_.push_back(&entry);
  }
}

void AllocationLoop::enqueue_waiting() {
  for (const auto* entry : waiting_) enqueue(entry->first, 0);
}

void AllocationLoop::enqueue_all() {
  for (const auto& object : all(store_, config::Kind::Service)) enqueue(object->key, 0);
  // Deleted ones that no change told of: they are gone from the store and still hold something.
  enqueue_waiting();
}

void AllocationLoop::set_waits(Entry& entry, bool waits) {
  if (std::exchange(entry.second.waits, waits) == waits) return;
  if (waits)
    waiting_.insert(&entry);
  else
    waiting_.erase(&entry);
}

void AllocationLoop::drop_idle(const Entry& entry) {
  const auto& work = entry.second;
  if (!work.queued && !work.written && !work.waits) works_.erase(works_.find(entry.first));
}

void AllocationLoop::schedule() {
  if (scheduled_ || batches_ >= most_batches || (queue_.empty() && !pools_due())) return;
  scheduled_ = true;
  post_([this] { run_slice(); });
}

bool AllocationLoop::pools_due() const {
  if (touched_pools_.empty()) return false;
  return !pools_written_ || clocks_.steady() >= *pools_written_ + pool_interval_;
}

void AllocationLoop::run_slice() {
  scheduled_ = false;
  std::vector<Write> batch;
  std::vector<Written> writes;
  batch.reserve(3 * std::min(slice, queue_.size()) + touched_pools_.size() + 1);  // a status, an Event, an old Event
  const auto when = rfc3339(clocks_.wall());
  for (std::size_t i = 0; i < slice && !queue_.empty(); ++i) {
    auto& entry = *queue_.front();
    queue_.pop_front();
    entry.second.queued = false;
    const auto index = batch.size();
    entry.second.written = reconcile(entry, when, batch);
    if (entry.second.written) writes.push_back({&entry, index});
    drop_idle(entry);
  }
  if (pools_due()) add_pool_status(when, batch);
  if (!batch.empty()) {
    ++batches_;
    store_.write(std::move(batch), [this, writes = std::move(writes)](const std::vector<WriteResult>& results) {
      written(writes, results);
    });
  }
  schedule();
}

// Whether there is something to write; the write for the service comes first.
bool AllocationLoop::reconcile(Entry& entry, const std::string& timestamp, std::vector<Write>& batch) {
  ++counters_.looked;
  const auto& key = entry.first;
  const auto service_name = key.namespace_name + "/" + key.name;
  const auto object = store_.get(key);
  const auto now = clocks_.steady();
  const auto* before = allocator().assignment(service_name);
  const auto pool_before = before == nullptr ? std::string{} : before->pool;
  Reconciled outcome;
  if (object == nullptr) {
    reconciler_.removed(service_name, now);
  } else {
    outcome = reconciler_.reconcile(object->text, now, timestamp);
  }
  const auto* after = allocator().assignment(service_name);
  if (!pool_before.empty()) touched_pools_.insert(pool_before);
  if (after != nullptr) touched_pools_.insert(after->pool);
  // What one service gives up may be what another waits for.
  if (!pool_before.empty() && after == nullptr) enqueue_waiting();
  set_waits(entry, outcome.waits);
  if (!outcome.update) return false;

  batch.push_back({.verb = Write::Verb::Merge,
                   .key = key,
                   .if_revision = object->revision,
                   .text = std::move(outcome.update->merge_patch)});
  for (const auto& event : outcome.update->events) {
    event.type == EventText::Type::Warning ? ++counters_.refused : counters_.assigned += event.reason == "IPAllocated";
    add_event(*object, event, timestamp, batch);
  }
  return true;
}

void AllocationLoop::add_event(const Object& service, const EventText& event, const std::string& timestamp,
                               std::vector<Write>& batch) {
  const auto serial = static_cast<std::uint64_t>(clocks_.wall().time_since_epoch().count()) + ++event_serial_;
  batch.push_back(event_about(service, event, serial, timestamp));
  events_.push_back(batch.back().key);
  while (events_.size() > most_events) {
    batch.push_back({.verb = Write::Verb::Delete, .key = std::move(events_.front())});
    events_.pop_front();
  }
}

void AllocationLoop::add_pool_status(const std::string& timestamp, std::vector<Write>& batch) {
  pools_written_ = clocks_.steady();
  for (const auto& name : std::exchange(touched_pools_, {})) {
    const ObjectKey key{config::Kind::IPAddressPool, "", name};
    const auto object = store_.latest(key);
    if (object == nullptr || !pools_.contains(name)) continue;
    if (auto status = pool_status(allocator(), parsed(*object), timestamp))
      batch.push_back({.verb = Write::Verb::Merge, .key = key, .value = {{"status", std::move(*status)}}});
  }
}

// Services that changed between our reading and our writing are looked at again, those that only have what we wrote are
// not; `results` has those of other writes between.
void AllocationLoop::written(const std::vector<Written>& writes, const std::vector<WriteResult>& results) {
  --batches_;
  for (const auto& [entry, index] : writes) {
    const auto& result = results.at(index);
    auto& work = entry->second;
    const auto conflict = !result && result.error().code == WriteError::Code::Conflict;
    const auto changed = work.change != 0 && !(result && *result && (*result)->revision == work.change);
    const auto look = std::exchange(work.again, false) || changed || conflict;
    counters_.conflicts += conflict ? 1 : 0;
    work.written = false;
    work.change = 0;
    if (look) enqueue(entry->first, 0);
    drop_idle(*entry);
  }
  schedule();
}

void AllocationLoop::tick() {
  const auto now = clocks_.steady();
  if (now >= forget_due_) {
    forget_due_ = now + forget_interval;
    store_.forget_releases(clocks_.wall() - allocator().longest_quarantine());
  }
  schedule();
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
