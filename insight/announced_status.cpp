// SPDX-License-Identifier: Apache-2.0
#include "insight/announced_status.hpp"

#include <algorithm>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "config/candidate.hpp"
#include "insight/admission_review.hpp"

namespace insight {
namespace {

using config::Kind;
using nlohmann::json;

constexpr auto tick_interval = std::chrono::milliseconds{250};
constexpr std::size_t slice = 500;       // services looked at before other events have their turn
constexpr std::size_t most_writes = 32;  // on their way at once

config::ApiWatcher::Options watch_options(const controller::ObserverContext& context) {
  config::ApiWatcher::Options out;
  out.endpoint = context.endpoint;
  out.kubernetes = config::ApiWatcher::Options::Kubernetes{.metallb_namespace = context.metallb_namespace};
  out.kinds = {Kind::IPAddressPool,    Kind::Community, Kind::BGPPeer,         Kind::BGPConfiguration,
               Kind::BGPAdvertisement, Kind::BGPFilter, Kind::L2Advertisement, Kind::BFDProfile,
               Kind::SpeakerState,     Kind::Service,   Kind::EndpointSlice,   Kind::Node};
  return out;
}

std::string text_of(const json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found == object.end() || !found->is_string() ? std::string{} : found->get<std::string>();
}

std::vector<config::ObjectId> ids_of(const config::Changes& changes) {
  std::vector<config::ObjectId> out;
  for (const auto& object : changes.set) out.push_back({config::kind_of(object), config::meta_of(object).key()});
  out.insert(out.end(), changes.removed.begin(), changes.removed.end());
  for (const auto& refused : changes.refused) out.push_back(refused.id);
  return out;
}

std::string timestamp() {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now));
}

std::string status_of(const Announced& answer) {
  return answer.status == Announced::Status::Yes ? "True" : "False";
}

// Ours, as it stands on a service; null when it is not there.
json condition_of(const json& service) {
  const auto path = json::json_pointer{"/status/conditions"};
  if (!service.contains(path) || !service[path].is_array()) return {};
  for (const auto& entry : service[path])
    if (text_of(entry, "type") == announced_condition) return entry;
  return {};
}

}  // namespace

std::optional<json> conditions_with(const json& service, const std::optional<Announced>& announced,
                                    const std::string& timestamp) {
  const auto before = condition_of(service);
  json ours;
  if (announced) {
    const auto status = status_of(*announced);
    const auto same_status = text_of(before, "status") == status;
    ours = {{"type", announced_condition},
            {"status", status},
            {"reason", announced->reason},
            {"message", announced->message},
            {"lastTransitionTime", same_status ? text_of(before, "lastTransitionTime") : timestamp}};
    const auto same = same_status && text_of(before, "reason") == announced->reason &&
                      text_of(before, "message") == announced->message;
    if (same) return std::nullopt;
  } else if (before.is_null()) {
    return std::nullopt;
  }
  auto out = json::array();
  const auto path = json::json_pointer{"/status/conditions"};
  if (service.contains(path) && service[path].is_array())
    for (const auto& entry : service[path])
      if (text_of(entry, "type") != announced_condition) out.push_back(entry);
  if (announced) out.push_back(std::move(ours));
  return out;
}

AnnouncedStatus::AnnouncedStatus(const controller::ObserverContext& context, Pace pace)
    : context_{context},
      pace_{pace},
      watcher_{context.executor, watch_options(context), [this](config::Changes changes) { take(std::move(changes)); }},
      announcements_{context.load_balancer_class},
      timer_{context.executor},
      turns_{pace.per_second, 2 * pace.per_second},
      tells_{pace.told_per_second, 4 * pace.told_per_second} {
  watcher_.on_event = [this](const std::string& what) { context_.event("status: " + what); };
}

void AnnouncedStatus::start() {
  watcher_.start();
}

void AnnouncedStatus::lead() {
  if (leading_) return;
  leading_ = true;
  ++term_;
  enqueue_all();
  tick();
}

void AnnouncedStatus::stand_by() {
  leading_ = false;
  timer_.cancel();
  waiting_.clear();
  in_flight_.clear();
}

void AnnouncedStatus::stop() {
  stand_by();
  watcher_.stop();
}

NodeNames AnnouncedStatus::live(net::TimePoint now) {
  // While the API does not tell of heartbeats, their silence means nothing.
  const auto behind = watcher_.health().stale_since.has_value();
  liveness_.set_api(behind ? speaker::Liveness::Api::Away : speaker::Liveness::Api::Reachable, now);
  return liveness_.live(now);
}

void AnnouncedStatus::take(config::Changes changes) {
  const auto now = net::Clock::now();
  const auto ids = ids_of(changes);
  keep(changes);
  const auto effect = set_.apply(std::move(changes));
  const auto& resources = set_.current().resources;
  for (const auto& id : ids) {
    if (id.kind != Kind::SpeakerState) continue;
    const auto state = resources.speaker_states.find(id.key);
    if (state == resources.speaker_states.end())
      liveness_.forget(id.key);
    else
      liveness_.observe(state->second, now);
  }
  if (!std::exchange(synced_, true) || effect == config::ResourceSet::Effect::Configuration) {
    announcements_.reset(resources, live(now));
    return enqueue_all();
  }
  const auto touched = announcements_.apply(resources, ids, live(now));
  if (!touched) return enqueue_all();
  queue_.insert(touched->begin(), touched->end());
}

// What reviews are about is few; services and endpoints are kept once.
void AnnouncedStatus::keep(const config::Changes& changes) {
  for (const auto& object : changes.set) {
    const auto kind = config::kind_of(object);
    if (kind != Kind::Service && kind != Kind::EndpointSlice && kind != Kind::SpeakerState) config::put(all_, object);
  }
  const auto drop = [this](const config::ObjectId& id) { config::erase(all_, id); };
  std::ranges::for_each(changes.removed, drop);
  for (const auto& refused : changes.refused) drop(refused.id);
}

json AnnouncedStatus::review(const json& asked) const {
  return admission_review(asked, all_, set_.current().resources);
}

void AnnouncedStatus::enqueue_all() {
  for (const auto& [key, service] : set_.current().resources.services) queue_.insert(key);
}

void AnnouncedStatus::tick() {
  if (!leading_) return;
  const auto now = net::Clock::now();
  if (synced_) {
    if (!announcements_.apply(set_.current().resources, {}, live(now))) enqueue_all();
    for (std::size_t i = 0; i < slice && !queue_.empty(); ++i) look(queue_.extract(queue_.begin()).value(), now);
    write_due(now);
  }
  timer_.expires_after(queue_.empty() ? tick_interval : std::chrono::milliseconds{1});
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) tick();
  });
}

controller::ObjectKey AnnouncedStatus::key_of(const std::string& service) {
  const auto slash = service.find('/');
  return {Kind::Service, service.substr(0, slash), service.substr(slash + 1)};
}

// An answer that changes back and forth is never written: only one that holds is.
void AnnouncedStatus::look(const std::string& service, net::TimePoint now) {
  const auto answer = announcements_.judge(set_.current().resources, service);
  if (answer)
    answers_[service] = answer->status == Announced::Status::Yes;
  else
    answers_.erase(service);
  const auto object = context_.objects.get(key_of(service));
  const auto stands = object == nullptr ? json{} : json::parse(object->text, nullptr, false);
  if (!stands.is_object() || !conditions_with(stands, answer, {})) {
    waiting_.erase(service);
    return;
  }
  const auto before = condition_of(stands);
  const auto turned = !answer || text_of(before, "status") != status_of(*answer);
  const auto known = waiting_.find(service);
  if (known != waiting_.end() && known->second.answer == answer) return;
  waiting_.insert_or_assign(service, Waiting{answer, turned, now});
}

void AnnouncedStatus::write_due(net::TimePoint now) {
  std::vector<std::string> due;
  bool turns_left = true;
  bool tells_left = true;
  for (const auto& [service, waiting] : waiting_) {
    if (in_flight_.size() + due.size() >= most_writes || (!turns_left && !tells_left)) break;
    auto& left = waiting.turned ? turns_left : tells_left;
    if (!left || in_flight_.contains(service)) continue;
    if (now - waiting.since < (waiting.turned ? pace_.settle : pace_.told_settle)) continue;
    if ((waiting.turned ? turns_ : tells_).reserve(now).count() > 0) {
      left = false;
      continue;
    }
    due.push_back(service);
  }
  for (const auto& service : due) write(service, waiting_.extract(service).mapped().answer);
}

void AnnouncedStatus::write(const std::string& service, const std::optional<Announced>& answer) {
  const auto key = key_of(service);
  const auto object = context_.objects.get(key);
  if (object == nullptr) return;
  const auto stands = json::parse(object->text, nullptr, false);
  auto conditions = conditions_with(stands, answer, timestamp());
  if (!conditions) return;
  in_flight_.insert(service);
  std::vector<controller::Write> batch;
  batch.push_back({controller::Write::Verb::Merge,
                   key,
                   {{"status", {{"conditions", *std::move(conditions)}}}},
                   object->revision,
                   {}});
  context_.objects.write(std::move(batch), [this, service, term = term_](const auto& /*results*/) {
    if (term != term_) return;
    in_flight_.erase(service);
    // Refused because it changed meanwhile, or written: in both cases it is what stands now that counts.
    queue_.insert(service);
  });
}

std::string AnnouncedStatus::metrics() const {
  const auto announced = std::ranges::count_if(answers_, [](const auto& entry) { return entry.second; });
  const auto line = [](std::string_view name, std::string_view help, std::size_t value) {
    return fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n{0} {2}\n", name, help, value);
  };
  return line("herald_services_announced", "Services with every address announced by some node.",
              static_cast<std::size_t>(announced)) +
         line("herald_services_unannounced", "Services with an address that no node announces.",
              answers_.size() - static_cast<std::size_t>(announced));
}

controller::ObserverFactory announced_status() {
  return [](const controller::ObserverContext& context) { return std::make_unique<AnnouncedStatus>(context); };
}

}  // namespace insight
