// SPDX-License-Identifier: Apache-2.0
#include "insight/status_observer.hpp"

#include <utility>
#include <vector>

#include "insight/admission_review.hpp"

namespace insight {
namespace {

using config::Kind;

constexpr auto busy_interval = std::chrono::milliseconds{250};
constexpr auto idle_interval = std::chrono::milliseconds{1'000};

std::vector<Kind> network_kinds() {
  return {Kind::IPAddressPool, Kind::Community,       Kind::BGPPeer,    Kind::BGPConfiguration, Kind::BGPAdvertisement,
          Kind::BGPFilter,     Kind::L2Advertisement, Kind::BFDProfile, Kind::SpeakerState,     Kind::Node};
}

// In Kubernetes a controller may read no Secrets; and Services are judged.
std::unique_ptr<Source> source_of(const controller::ObserverContext& context, Source::OnChange on_change) {
  auto kinds = network_kinds();
  if (!context.kubernetes) {
    kinds.push_back(Kind::Secret);
    return follow_store(context.executor, context.objects, std::move(kinds), std::move(on_change));
  }
  kinds.insert(kinds.end(), {Kind::Service, Kind::EndpointSlice});
  config::ApiWatcher::Options out;
  out.endpoint = context.kubernetes->endpoint;
  out.kubernetes = config::ApiWatcher::Options::Kubernetes{.metallb_namespace = context.kubernetes->metallb_namespace};
  out.kinds = std::move(kinds);
  return follow_api(context.executor, std::move(out), std::move(on_change),
                    [event = context.event](const std::string& what) { event("status: " + what); });
}

std::vector<config::ObjectId> ids_of(const config::Changes& changes) {
  std::vector<config::ObjectId> out;
  for (const auto& object : changes.set) out.push_back({config::kind_of(object), config::meta_of(object).key()});
  out.insert(out.end(), changes.removed.begin(), changes.removed.end());
  for (const auto& refused : changes.refused) out.push_back(refused.id);
  return out;
}

}  // namespace

StatusObserver::StatusObserver(const controller::ObserverContext& context)
    : set_{{}, context.kubernetes ? config::Secrets::Unknown : config::Secrets::Known},
      source_{source_of(context, [this](config::Changes changes) { take(std::move(changes)); })},
      objects_{context},
      timer_{context.executor} {
  if (context.kubernetes) services_.emplace(context);
}

void StatusObserver::start() {
  source_->start();
  objects_.start();
}

void StatusObserver::lead() {
  if (std::exchange(leading_, true)) return;
  if (services_) services_->lead(resources());
  objects_.lead();
  tick();
}

void StatusObserver::stand_by() {
  leading_ = false;
  timer_.cancel();
  if (services_) services_->stand_by();
  objects_.stand_by();
}

void StatusObserver::stop() {
  stand_by();
  objects_.stop();
  source_->stop();
}

NodeNames StatusObserver::live(net::TimePoint now) {
  // While the API does not tell of heartbeats, their silence means nothing.
  liveness_.set_api(source_->behind() ? speaker::Liveness::Api::Away : speaker::Liveness::Api::Reachable, now);
  return liveness_.live(now);
}

void StatusObserver::take(config::Changes changes) {
  const auto now = net::Clock::now();
  const auto ids = ids_of(changes);
  const auto effect = set_.apply(std::move(changes));
  for (const auto& id : ids) {
    if (id.kind != Kind::SpeakerState) continue;
    const auto state = resources().speaker_states.find(id.key);
    if (state == resources().speaker_states.end())
      liveness_.forget(id.key);
    else
      liveness_.observe(state->second, now);
  }
  const auto anew = !std::exchange(synced_, true) || effect == config::ResourceSet::Effect::Configuration;
  if (anew) objects_.reset();
  if (!services_) return;
  if (anew)
    services_->reset(resources(), live(now));
  else
    services_->apply(resources(), ids, live(now));
}

nlohmann::json StatusObserver::review(const nlohmann::json& asked) const {
  return admission_review(asked, set_.judged(), resources());
}

void StatusObserver::tick() {
  if (!leading_) return;
  const auto now = net::Clock::now();
  bool more = false;
  if (synced_) {
    const auto alive = live(now);
    if (services_) {
      services_->apply(resources(), {}, alive);
      more = services_->work(resources(), now);
    }
    more = objects_.work(set_, alive, now) || more;
  }
  const auto busy = services_ || objects_.waits();
  timer_.expires_after(more ? std::chrono::milliseconds{1} : busy ? busy_interval : idle_interval);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) tick();
  });
}

std::string StatusObserver::metrics() const {
  return (services_ ? services_->metrics() : std::string{}) + objects_.metrics();
}

controller::ObserverFactory status_observer() {
  return [](const controller::ObserverContext& context) { return std::make_unique<StatusObserver>(context); };
}

}  // namespace insight
