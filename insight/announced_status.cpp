// SPDX-License-Identifier: Apache-2.0
#include "insight/announced_status.hpp"

#include <algorithm>
#include <utility>

#include "insight/metric_text.hpp"

namespace insight {
namespace {

using config::Kind;
using controller::Statement;

constexpr std::size_t slice = 500;  // services looked at before other events have their turn

controller::ObjectKey key_of(const std::string& service) {
  const auto slash = service.find('/');
  return {Kind::Service, service.substr(0, slash), service.substr(slash + 1)};
}

}  // namespace

controller::ObjectStatus status_of(const std::optional<Announced>& answer) {
  Statement said{.type = std::string{announced_condition}};
  if (answer) {
    said.status = answer->status == Announced::Status::Yes ? Statement::Status::True : Statement::Status::False;
    said.reason = answer->reason;
    said.message = answer->message;
  }
  return {.conditions = {std::move(said)}};
}

AnnouncedStatus::AnnouncedStatus(const controller::ObserverContext& context)
    : announcements_{context.load_balancer_class,
                     context.kubernetes ? speaker::WithoutSlices::Nowhere : speaker::WithoutSlices::Everywhere},
      writes_{context.objects,
              {},
              {.look = [this](const auto& key) { queue_.insert(key.namespace_name + "/" + key.name); },
               .written = nullptr}} {}

void AnnouncedStatus::reset(const config::Resources& now, NodeNames live) {
  announcements_.reset(now, std::move(live));
  look_at_all(now);
}

void AnnouncedStatus::apply(const config::Resources& now, const std::vector<config::ObjectId>& changed,
                            NodeNames live) {
  const auto touched = announcements_.apply(now, changed, std::move(live));
  if (touched)
    queue_.insert(touched->begin(), touched->end());
  else
    look_at_all(now);
}

void AnnouncedStatus::look_at_all(const config::Resources& now) {
  for (const auto& [key, service] : now.services) queue_.insert(key);
}

bool AnnouncedStatus::work(const config::Resources& now, net::TimePoint time) {
  for (std::size_t i = 0; i < slice && !queue_.empty(); ++i) look(now, queue_.extract(queue_.begin()).value(), time);
  writes_.write_due(time);
  return !queue_.empty();
}

void AnnouncedStatus::look(const config::Resources& now, const std::string& service, net::TimePoint time) {
  const auto answer = announcements_.judge(now, service);
  if (answer)
    answers_[service] = answer->status == Announced::Status::Yes;
  else
    answers_.erase(service);
  writes_.want(key_of(service), status_of(answer), time);
}

std::string AnnouncedStatus::metrics() const {
  const auto announced =
      static_cast<std::size_t>(std::ranges::count_if(answers_, [](const auto& entry) { return entry.second; }));
  return gauge("herald_services_announced", "Services with every address announced by some node.", announced) +
         gauge("herald_services_unannounced", "Services with an address that no node announces.",
               answers_.size() - announced);
}

}  // namespace insight
