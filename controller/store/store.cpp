// SPDX-License-Identifier: Apache-2.0
#include "controller/store/store.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>

#include "controller/store/committer.hpp"
#include "controller/store/database.hpp"
#include "controller/store/history.hpp"
#include "controller/store/metadata.hpp"

namespace controller {
namespace {

using nlohmann::json;

// Revisions are reserved on disk in blocks: volatile writes count up without touching it.
constexpr std::uint64_t revision_block = 100'000;
constexpr std::uint64_t revision_margin = 10'000;

bool is_volatile(const Write& write) {
  return write.key.kind == config::Kind::SpeakerState &&
         (write.verb == Write::Verb::Replace || write.verb == Write::Verb::Merge);
}

std::string name_of(const ObjectKey& key) {
  return std::string{config::info(key.kind).plural} + " \"" + key.name + "\"";
}

std::string holder_of(const ObjectKey& key) {
  return key.namespace_name.empty() ? key.name : key.namespace_name + "/" + key.name;
}

// Objects of one kind in the order lists have: by namespace, then name.
struct ByName {
  using is_transparent = void;
  static std::pair<std::string_view, std::string_view> order(const ObjectKey& key) {
    return {key.namespace_name, key.name};
  }
  static std::pair<std::string_view, std::string_view> order(const ObjectPtr& object) { return order(object->key); }
  template <class Left, class Right>
  bool operator()(const Left& left, const Right& right) const {
    return order(left) < order(right);
  }
};
using Index = std::set<ObjectPtr, ByName>;

struct KindState {
  Index objects;
  History history;
  // The first revision of this kind that is waiting for a transaction, and that is in the one under way.
  std::optional<std::uint64_t> first_staged, first_in_flight;
  std::map<std::uint64_t, std::function<void()>> subscribers;
  bool changed = false;  // subscribers are still to be told
};

// The callers of a transaction and what they will be told.
struct Ticket {
  Store::Done done;
  std::vector<WriteResult> results;
};
struct Staged {
  std::vector<Row> rows;
  std::vector<Release> releases;
  std::vector<Ticket> tickets;
};

// What a write comes to. `action` is empty when nothing changes.
struct Resolution {
  std::optional<Row::Action> action;
  json value;
  ObjectPtr before;
  std::vector<std::string> given_up{};
};

}  // namespace

struct Store::State {
  explicit State(StoreOptions given)
      : options{std::move(given)},
        database{options.file},
        content{database.load()},
        committer{std::in_place, database, options.post, [this](Committer::Outcome outcome) { finish(outcome); }} {
    load();
  }

  KindState& of(config::Kind kind) { return kinds.at(index_of(kind)); }
  const KindState& of(config::Kind kind) const { return kinds.at(index_of(kind)); }

  void load();
  ObjectPtr latest(const ObjectKey& key) const;
  net::Result<Resolution, WriteError> resolve(const Write& write) const;
  net::Result<Resolution, WriteError> resolve_update(const Write& write, ObjectPtr before) const;
  std::vector<std::string> holdings(const ObjectKey& key, const json& object) const;
  WriteResult perform(const Write& write);
  void stage(Row row);
  void publish(const Row& row);
  void pump();
  void finish(const Committer::Outcome& outcome);
  void fail_all(Staged& flight, const std::string& why);
  void tell_subscribers();
  void tell(Done done, std::vector<WriteResult> results);

  StoreOptions options;
  Database database;
  Database::Content content;  // emptied by load()
  std::array<KindState, kind_count> kinds;
  std::uint64_t revision = 0;  // the last one given out
  std::uint64_t reserved = 0;  // never give out more than this

  std::map<ObjectKey, ObjectPtr> overlay;  // the newest state of what is on its way; empty: deleted
  Staged staged, flight;
  bool in_flight = false;
  std::uint64_t reserving = 0;  // what the transaction under way reserves; 0: nothing

  std::vector<Release> earlier_releases;  // as they were on disk at the start
  std::optional<std::chrono::system_clock::time_point> forget_before;

  std::map<ObjectKey, ObjectPtr> unsaved;  // volatile state that the disk does not have
  std::vector<Row> saving;                 // the part of it in the transaction under way
  std::chrono::system_clock::time_point saved_at;
  bool save_due = false;

  std::uint64_t next_subscriber = 0;
  bool telling = false;
  StoreStatistics statistics;
  std::function<void(const Commit&)> observer;
  std::optional<Committer> committer;  // last: its thread is stopped before the rest goes
};

void Store::State::load() {
  // A new file starts at the time of day: revisions that clients remember from a file that was here before
  // are smaller than all of ours, so they are told to list again.
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(options.now().time_since_epoch()).count();
  revision = content.reserved != 0 ? content.reserved : static_cast<std::uint64_t>(now) * 1000 + 1;
  for (std::size_t i = 0; i < kind_count; ++i) {
    // What a client saw of a kind is still true when nothing happened to that kind since. Not so for heartbeats,
    // which may have gone back in time, nor for a new file.
    const auto resumable = content.reserved != 0 && static_cast<config::Kind>(i) != config::Kind::SpeakerState;
    kinds.at(i).history.start(resumable ? content.last_change.at(i) : revision);
  }
  for (auto& object : content.objects) {
    auto& objects = of(object->key.kind).objects;
    objects.insert(objects.end(), std::move(object));
  }
  earlier_releases = std::move(content.releases);
  content = {};

  reserved = revision + revision_block;
  if (const auto done = database.commit({.rows = {}, .reserve = reserved}); !done) {
    throw std::runtime_error("store " + options.file.string() + ": " + done.error());
  }
  saved_at = options.now();
}

ObjectPtr Store::State::latest(const ObjectKey& key) const {
  if (const auto pending = overlay.find(key); pending != overlay.end()) return pending->second;
  const auto& objects = of(key.kind).objects;
  const auto found = objects.find(key);
  return found == objects.end() ? nullptr : *found;
}

net::Result<Resolution, WriteError> Store::State::resolve(const Write& write) const {
  using Code = WriteError::Code;
  auto before = latest(write.key);
  if (write.verb == Write::Verb::Create) {
    if (before) return net::fail(WriteError{Code::AlreadyExists, name_of(write.key) + " already exists"});
    if (!write.value.is_object()) return net::fail(WriteError{Code::Invalid, "must be an object"});
    Resolution created{Row::Action::Put, write.value, nullptr};
    stamp_created(created.value, write.key, options.now());
    return created;
  }
  if (!before) return net::fail(WriteError{Code::NotFound, name_of(write.key) + " not found"});
  if (!write.if_uid.empty() && write.if_uid != before->uid) {
    return net::fail(WriteError{
        Code::Conflict, "uid is " + before->uid + ", not " + write.if_uid + ": the object was deleted and made anew"});
  }
  if (write.if_revision && *write.if_revision != before->revision) {
    return net::fail(WriteError{Code::Conflict,
                                "the object has been modified; please apply your changes to the latest version and "
                                "try again"});
  }
  return resolve_update(write, std::move(before));
}

net::Result<Resolution, WriteError> Store::State::resolve_update(const Write& write, ObjectPtr before) const {
  auto old = json::parse(before->text, nullptr, false);
  if (!old.is_object()) return net::fail(WriteError{WriteError::Code::Storage, "the stored object is damaged"});
  auto changed = true;
  Resolution updated{Row::Action::Put, {}, std::move(before)};
  auto held = holdings(write.key, old);
  if (write.verb == Write::Verb::Delete) {
    updated.value = std::move(old);
    changed = !is_deleted(updated.value);
    if (changed && has_finalizers(updated.value)) stamp_deleted(updated.value, options.now());
  } else if (!write.value.is_object()) {
    return net::fail(WriteError{WriteError::Code::Invalid, "must be an object"});
  } else if (write.verb == Write::Verb::Merge) {
    updated.value = std::move(old);
    changed = merge_update(updated.value, write.value);
  } else {
    updated.value = write.value;
    stamp_updated(updated.value, old);
    changed = updated.value != old;
  }
  if (!changed) {
    updated.action = std::nullopt;
  } else if (!has_finalizers(updated.value) && (write.verb == Write::Verb::Delete || is_deleted(updated.value))) {
    updated.action = Row::Action::Remove;
  }
  if (held.empty() || !updated.action) return updated;
  std::vector<std::string> holds;
  if (updated.action == Row::Action::Put) holds = holdings(write.key, updated.value);
  for (auto& one : held)
    if (std::ranges::find(holds, one) == holds.end()) updated.given_up.push_back(std::move(one));
  return updated;
}

std::vector<std::string> Store::State::holdings(const ObjectKey& key, const json& object) const {
  return options.holdings ? options.holdings(key.kind, object) : std::vector<std::string>{};
}

WriteResult Store::State::perform(const Write& write) {
  auto resolved = resolve(write);
  if (!resolved) return net::fail(std::move(resolved.error()));
  if (!resolved->action) return std::move(resolved->before);

  auto object = make_object(write.key, resolved->value, ++revision);
  const Row row{*resolved->action, object};
  const auto& kind = of(write.key.kind);
  // Changes of one kind are published in order, so nothing overtakes a durable write of the same kind.
  const auto overtakes = kind.first_staged || kind.first_in_flight;
  if (is_volatile(write) && row.action == Row::Action::Put && !overtakes && revision < reserved) {
    publish(row);
    unsaved[write.key] = object;
  } else {
    stage(row);
    for (auto& what : resolved->given_up)
      staged.releases.push_back({std::move(what), holder_of(write.key), options.now()});
  }
  return object;
}

void Store::State::stage(Row row) {
  auto& kind = of(row.object->key.kind);
  if (!kind.first_staged) kind.first_staged = row.object->revision;
  overlay[row.object->key] = row.action == Row::Action::Put ? row.object : nullptr;
  unsaved.erase(row.object->key);
  staged.rows.push_back(std::move(row));
  ++statistics.pending;
}

void Store::State::publish(const Row& row) {
  auto& kind = of(row.object->key.kind);
  const auto found = kind.objects.find(row.object);
  auto before = found == kind.objects.end() ? nullptr : *found;
  auto hint = found;
  if (before) hint = kind.objects.erase(found);
  auto type = Change::Type::Deleted;
  if (row.action == Row::Action::Put) {
    kind.objects.insert(hint, row.object);
    type = before ? Change::Type::Modified : Change::Type::Added;
  }
  kind.history.add({type, row.object->revision, row.object, std::move(before)});
  kind.history.trim(std::max(options.history, kind.objects.size()));
  kind.changed = true;
  if (telling) return;
  telling = true;
  options.post([this] { tell_subscribers(); });
}

void Store::State::tell_subscribers() {
  telling = false;
  for (auto& kind : kinds) {
    if (!std::exchange(kind.changed, false)) continue;
    std::vector<std::uint64_t> ids;
    for (const auto& subscriber : kind.subscribers) ids.push_back(subscriber.first);
    for (const auto id : ids) {
      // A subscriber may cancel another, or itself, while it is told.
      const auto found = kind.subscribers.find(id);
      if (found == kind.subscribers.end()) continue;
      const auto wake = found->second;
      wake();
    }
  }
}

void Store::State::tell(Done done, std::vector<WriteResult> results) {
  if (!done) return;
  options.post([done = std::move(done), results = std::move(results)]() mutable { done(std::move(results)); });
}

void Store::State::pump() {
  if (in_flight) return;
  const auto reserve = revision + revision_margin > reserved;
  if (staged.rows.empty() && !save_due && !reserve) {
    for (auto& ticket : std::exchange(staged.tickets, {})) tell(std::move(ticket.done), std::move(ticket.results));
    return;
  }
  in_flight = true;
  flight = std::exchange(staged, {});
  Transaction transaction;
  if (std::exchange(save_due, false)) {
    for (const auto& [key, object] : unsaved) saving.push_back({Row::Action::Put, object});
    transaction.rows = saving;  // before the others: a deletion among them must come last
  }
  transaction.rows.insert(transaction.rows.end(), flight.rows.begin(), flight.rows.end());
  transaction.releases = std::move(flight.releases);
  transaction.forget_before = std::exchange(forget_before, std::nullopt);
  if (reserve) transaction.reserve = reserving = revision + revision_block;
  for (auto& kind : kinds) kind.first_in_flight = std::exchange(kind.first_staged, std::nullopt);
  committer->start(std::move(transaction));
}

void Store::State::finish(const Committer::Outcome& outcome) {
  auto landed = std::exchange(flight, {});
  in_flight = false;
  for (auto& kind : kinds) kind.first_in_flight.reset();
  statistics.pending -= landed.rows.size();
  ++statistics.transactions;
  if (observer) observer({outcome.took, outcome.result ? std::string{} : outcome.result.error()});

  if (!outcome.result) {
    ++statistics.failures;
    reserving = 0;
    saving.clear();
    fail_all(landed, outcome.result.error());
    return;
  }
  if (reserving != 0) reserved = std::exchange(reserving, 0);
  for (const auto& row : std::exchange(saving, {})) {
    saved_at = options.now();
    const auto entry = unsaved.find(row.object->key);
    if (entry != unsaved.end() && entry->second == row.object) unsaved.erase(entry);
  }
  statistics.rows += landed.rows.size();
  for (const auto& row : landed.rows) {
    publish(row);
    const auto pending = overlay.find(row.object->key);
    if (pending == overlay.end()) continue;
    const auto newest = pending->second ? pending->second == row.object : row.action == Row::Action::Remove;
    if (newest) overlay.erase(pending);
  }
  for (auto& ticket : landed.tickets) tell(std::move(ticket.done), std::move(ticket.results));
  pump();
}

// What is staged was checked against what has now failed, so it fails too.
void Store::State::fail_all(Staged& landed, const std::string& why) {
  auto waiting = std::exchange(staged, {});
  statistics.pending -= waiting.rows.size();
  overlay.clear();
  for (auto& kind : kinds) kind.first_staged.reset();
  for (auto* tickets : {&landed.tickets, &waiting.tickets}) {
    for (auto& ticket : *tickets) {
      for (auto& result : ticket.results) {
        if (result) result = net::fail(WriteError{WriteError::Code::Storage, "the store cannot write: " + why});
      }
      tell(std::move(ticket.done), std::move(ticket.results));
    }
  }
}

Store::Store(StoreOptions options) : state_{std::make_unique<State>(std::move(options))} {}

Store::~Store() {
  auto& state = *state_;
  state.committer.reset();
  Transaction last;
  for (const auto& [key, object] : state.unsaved) last.rows.push_back({Row::Action::Put, object});
  // The transaction under way is on disk but was not published; staged rows follow it.
  last.rows.insert(last.rows.end(), state.staged.rows.begin(), state.staged.rows.end());
  last.releases = state.staged.releases;
  // Nobody is left to be told of a failure, and nobody was told of success.
  if (!last.rows.empty()) static_cast<void>(state.database.commit(last));
}

ObjectPtr Store::get(const ObjectKey& key) const {
  const auto& objects = state_->of(key.kind).objects;
  const auto found = objects.find(key);
  return found == objects.end() ? nullptr : *found;
}

ObjectPtr Store::latest(const ObjectKey& key) const {
  return state_->latest(key);
}

std::size_t Store::count(config::Kind kind) const {
  return state_->of(kind).objects.size();
}

std::uint64_t Store::revision(config::Kind kind) const {
  const auto& state = state_->of(kind);
  if (state.first_in_flight) return *state.first_in_flight - 1;
  if (state.first_staged) return *state.first_staged - 1;
  return state_->revision;
}

net::Result<Snapshot, Expired> Store::list(const ListQuery& query) const {
  const auto& kind = state_->of(query.kind);
  const auto now = revision(query.kind);
  Snapshot snapshot{.revision = std::min(query.at.value_or(now), now), .objects = {}, .more = false};
  if (snapshot.revision < kind.history.oldest() && query.at) return net::fail(Expired{kind.history.oldest()});

  // What differs from now at that revision: of each object, its oldest `before` since.
  std::map<ObjectKey, ObjectPtr> then;
  if (query.at) {
    kind.history.undo_to(snapshot.revision,
                         [&then](const Change& change) { then[change.object->key] = change.before; });
  }
  const auto take = [&](const ObjectPtr& object) {
    if (!query.namespace_name.empty() && object->key.namespace_name != query.namespace_name) return true;
    if (query.filter && !query.filter(*object)) return true;
    if (query.limit != 0 && snapshot.objects.size() == query.limit) {
      snapshot.more = true;
      return false;
    }
    snapshot.objects.push_back(object);
    return true;
  };

  const ObjectKey first{query.kind, query.namespace_name, {}};
  auto live = query.after ? kind.objects.upper_bound(*query.after) : kind.objects.lower_bound(first);
  auto past = query.after ? then.upper_bound(*query.after) : then.lower_bound(first);
  while (live != kind.objects.end() || past != then.end()) {
    const auto from_past =
        past != then.end() && (live == kind.objects.end() || !(ByName::order(*live) < ByName::order(past->first)));
    if (!from_past) {
      // In the order of the index, the first of another namespace ends the list.
      if (!query.namespace_name.empty() && (*live)->key.namespace_name != query.namespace_name) {
        live = kind.objects.end();
        continue;
      }
      if (!take(*live++)) break;
      continue;
    }
    if (live != kind.objects.end() && ByName::order(*live) == ByName::order(past->first)) ++live;
    const auto object = (past++)->second;
    if (object && !take(object)) break;
  }
  return snapshot;
}

net::Result<std::vector<Change>, Expired> Store::changes(config::Kind kind, std::uint64_t revision,
                                                         std::size_t limit) const {
  if (revision > state_->revision) return net::fail(Expired{state_->of(kind).history.oldest()});
  return state_->of(kind).history.after(revision, limit);
}

Subscription Store::subscribe(config::Kind kind, std::function<void()> wake) {
  const auto id = ++state_->next_subscriber;
  state_->of(kind).subscribers.emplace(id, std::move(wake));
  return Subscription{[state = state_.get(), kind, id] { state->of(kind).subscribers.erase(id); }};
}

void Store::write(std::vector<Write> batch, Done done) {
  auto waits = false;
  std::vector<WriteResult> results;
  results.reserve(batch.size());
  for (const auto& write : batch) {
    results.push_back(state_->perform(write));
    // A write that changes nothing still waits for the state that it found to be durable.
    waits = waits || state_->overlay.contains(write.key);
  }
  if (waits) {
    state_->staged.tickets.push_back({std::move(done), std::move(results)});
  } else {
    state_->tell(std::move(done), std::move(results));
  }
  state_->pump();
}

WriteResult Store::preview(const Write& write) const {
  auto resolved = state_->resolve(write);
  if (!resolved) return net::fail(std::move(resolved.error()));
  if (!resolved->action) return std::move(resolved->before);
  return make_object(write.key, resolved->value, resolved->before ? resolved->before->revision : 0);
}

std::vector<Release> Store::releases() const {
  return state_->earlier_releases;
}

void Store::forget_releases(std::chrono::system_clock::time_point before) {
  state_->forget_before = before;
  std::erase_if(state_->earlier_releases, [&](const Release& release) { return release.at < before; });
}

void Store::tick() {
  if (state_->unsaved.empty() || state_->options.now() - state_->saved_at < state_->options.volatile_interval) return;
  state_->save_due = true;
  state_->pump();
}

StoreStatistics Store::statistics() const {
  return state_->statistics;
}

void Store::on_commit(std::function<void(const Commit&)> observer) {
  state_->observer = std::move(observer);
}

}  // namespace controller
