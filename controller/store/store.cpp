// SPDX-License-Identifier: Apache-2.0
#include "controller/store/store.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>

#include "controller/store/committer.hpp"
#include "controller/store/database.hpp"
#include "controller/store/history.hpp"
#include "controller/store/metadata.hpp"
#include "controller/store/object_index.hpp"

namespace controller {
namespace {

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

struct KindState {
  ObjectIndex objects;
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

// What a write comes to: a row for the disk, or nothing where nothing changes.
struct Resolution {
  std::optional<Row> row;
  ObjectPtr before;
  std::vector<std::string> given_up{};
};

}  // namespace

std::string text_of(const Write& write) {
  return write.text.empty() ? compact(write.value) : write.text;
}

struct Store::State {
  explicit State(StoreOptions given)
      : options{std::move(given)},
        database{options.file},
        content{database.load()},
        committer{std::in_place, database, options.post,
                  [this](const Committer::Outcome& outcome) { finish(outcome); }} {
    load();
  }

  KindState& of(config::Kind kind) { return kinds.at(index_of(kind)); }
  const KindState& of(config::Kind kind) const { return kinds.at(index_of(kind)); }

  void load();
  ObjectPtr latest(const ObjectKey& key) const;
  // `next` is the revision that the write will have if it changes anything.
  net::Result<Resolution, WriteError> resolve(const Write& write, std::uint64_t next) const;
  net::Result<Resolution, WriteError> resolve_update(const Write& write, ObjectPtr before, std::uint64_t next) const;
  std::vector<std::string> given_up(const Row& row, const Object& before) const;
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
    auto& kind = of(object->key.kind);
    kind.objects.commit({Row::Action::Put, std::move(object)});
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
  return of(key.kind).objects.latest(key);
}

net::Result<Resolution, WriteError> Store::State::resolve(const Write& write, std::uint64_t next) const {
  using Code = WriteError::Code;
  auto before = latest(write.key);
  if (write.verb == Write::Verb::Create) {
    if (before) return net::fail(WriteError{Code::AlreadyExists, name_of(write.key) + " already exists"});
    const auto text = text_of(write);
    auto draft = Draft::of(text);
    if (!draft) return net::fail(WriteError{Code::Invalid, "must be an object"});
    draft->stamp_created(write.key, options.now());
    return Resolution{Row{Row::Action::Put, draft->finish(write.key, next)}, nullptr};
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
  return resolve_update(write, std::move(before), next);
}

net::Result<Resolution, WriteError> Store::State::resolve_update(const Write& write, ObjectPtr before,
                                                                 std::uint64_t next) const {
  const auto invalid = [] { return net::fail(WriteError{WriteError::Code::Invalid, "must be an object"}); };
  auto draft = Draft::of(before->text);
  if (!draft) return net::fail(WriteError{WriteError::Code::Storage, "the stored object is damaged"});
  const auto text = write.verb == Write::Verb::Delete ? std::string{} : text_of(write);
  auto changed = true;
  if (write.verb == Write::Verb::Delete) {
    changed = !draft->is_deleted();
    if (changed && draft->has_finalizers()) draft->stamp_deleted(options.now());
  } else if (write.verb == Write::Verb::Merge) {
    const auto patch = JsonMembers::of(text);
    if (!patch) return invalid();
    changed = draft->merge(*patch);
  } else {
    auto replacement = Draft::of(text);
    if (!replacement) return invalid();
    replacement->stamp_updated(*draft);
    changed = *replacement != *draft;
    draft = std::move(replacement);
  }
  if (!changed) return Resolution{std::nullopt, std::move(before)};
  const auto leaves = !draft->has_finalizers() && (write.verb == Write::Verb::Delete || draft->is_deleted());
  Resolution updated{Row{leaves ? Row::Action::Remove : Row::Action::Put, draft->finish(write.key, next)}, nullptr};
  updated.given_up = given_up(*updated.row, *before);
  updated.before = std::move(before);
  return updated;
}

std::vector<std::string> Store::State::given_up(const Row& row, const Object& before) const {
  if (!options.holdings) return {};
  auto held = options.holdings(before.key.kind, before.text);
  if (held.empty() || row.action == Row::Action::Remove) return held;
  const auto holds = options.holdings(before.key.kind, row.object->text);
  std::erase_if(held, [&](const auto& one) { return std::ranges::find(holds, one) != holds.end(); });
  return held;
}

WriteResult Store::State::perform(const Write& write) {
  auto resolved = resolve(write, revision + 1);
  if (!resolved) return net::fail(std::move(resolved.error()));
  if (!resolved->row) return std::move(resolved->before);

  ++revision;
  auto& row = *resolved->row;
  auto object = row.object;
  const auto& kind = of(write.key.kind);
  // Changes of one kind are published in order, so nothing overtakes a durable write of the same kind.
  const auto overtakes = kind.first_staged || kind.first_in_flight;
  if (is_volatile(write) && row.action == Row::Action::Put && !overtakes && revision < reserved) {
    publish(row);
    unsaved[write.key] = object;
  } else {
    stage(std::move(row));
    for (auto& what : resolved->given_up)
      staged.releases.push_back({std::move(what), holder_of(write.key), options.now()});
  }
  return object;
}

void Store::State::stage(Row row) {
  auto& kind = of(row.object->key.kind);
  if (!kind.first_staged) kind.first_staged = row.object->revision;
  kind.objects.stage(row);
  unsaved.erase(row.object->key);
  staged.rows.push_back(std::move(row));
  ++statistics.pending;
}

void Store::State::publish(const Row& row) {
  auto& kind = of(row.object->key.kind);
  auto before = kind.objects.commit(row);
  auto type = Change::Type::Deleted;
  if (row.action == Row::Action::Put) type = before ? Change::Type::Modified : Change::Type::Added;
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
  for (const auto& row : landed.rows) publish(row);
  for (auto& ticket : landed.tickets) tell(std::move(ticket.done), std::move(ticket.results));
  pump();
}

// What is staged was checked against what has now failed, so it fails too.
void Store::State::fail_all(Staged& landed, const std::string& why) {
  auto waiting = std::exchange(staged, {});
  statistics.pending -= waiting.rows.size();
  for (auto& kind : kinds) {
    kind.first_staged.reset();
    kind.objects.forget_staged();
  }
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
  return state_->of(key.kind).objects.live(key);
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

namespace {

// In the order of lists, what is there now and what was there then; where both have an object, it is the past that
// counts. `take` is given null for one that was not there then, and says whether to go on.
template <class Objects, class Take>
void walk_as_then(const ListQuery& query, const Objects& objects, const std::map<ObjectKey, ObjectPtr>& then,
                  Take&& take) {
  const auto first = query.after ? ObjectIndex::name_of(*query.after) : ObjectIndex::Name{query.namespace_name, {}};
  auto live = query.after ? objects.upper_bound(first) : objects.lower_bound(first);
  auto past = query.after ? then.upper_bound(*query.after) : then.lower_bound({query.kind, query.namespace_name, {}});
  const auto of_another = [&](const ObjectKey& key) {
    return !query.namespace_name.empty() && key.namespace_name != query.namespace_name;
  };
  for (;;) {
    // The first of another namespace ends the list.
    const bool lives = live != objects.end() && !of_another((*live)->first);
    const bool passed = past != then.end() && !of_another(past->first);
    if (!lives && !passed) return;
    if (!passed || (lives && ObjectIndex::name_of((*live)->first) < ObjectIndex::name_of(past->first))) {
      if (!take((*live++)->second.live)) return;
      continue;
    }
    if (lives && (*live)->first == past->first) ++live;
    if (!take((past++)->second)) return;
  }
}

}  // namespace

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
    if (object == nullptr) return true;  // it was not there then
    if (!query.namespace_name.empty() && object->key.namespace_name != query.namespace_name) return true;
    if (query.filter && !query.filter(*object)) return true;
    if (query.limit != 0 && snapshot.objects.size() == query.limit) {
      snapshot.more = true;
      return false;
    }
    snapshot.objects.push_back(object);
    return true;
  };

  walk_as_then(query, kind.objects.in_order(), then, take);
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
    const auto staged = state_->staged.rows.size();
    results.push_back(state_->perform(write));
    // A write that changes nothing still waits for the state that it found to be durable.
    waits = waits || state_->staged.rows.size() > staged || state_->of(write.key.kind).objects.on_its_way(write.key);
  }
  if (waits) {
    state_->staged.tickets.push_back({std::move(done), std::move(results)});
  } else {
    state_->tell(std::move(done), std::move(results));
  }
  state_->pump();
}

WriteResult Store::preview(const Write& write) const {
  const auto before = state_->latest(write.key);
  auto resolved = state_->resolve(write, before ? before->revision : 0);
  if (!resolved) return net::fail(std::move(resolved.error()));
  return resolved->row ? resolved->row->object : std::move(resolved->before);
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
