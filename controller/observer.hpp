// SPDX-License-Identifier: Apache-2.0
// Somebody who looks at everything beside the allocation loop and writes what it sees into statuses. The controller
// starts it, and knows no more of it: what it looks at is none of allocation's business.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <nlohmann/json.hpp>

#include "config/source/api_endpoint.hpp"
#include "controller/store/store.hpp"

namespace controller {

class Observer {
 public:
  Observer() = default;
  virtual ~Observer() = default;
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  Observer(Observer&&) = delete;
  Observer& operator=(Observer&&) = delete;

  // Begins to follow.
  virtual void start() = 0;
  // This controller leads, for the first time or again.
  virtual void lead() = 0;
  // It does not any more: nothing may be written.
  virtual void stand_by() = 0;
  // The process ends; nothing is called after it.
  virtual void stop() = 0;
  // Answers an AdmissionReview, by what is known now; also while it stands by.
  [[nodiscard]] virtual nlohmann::json review(const nlohmann::json& asked) const = 0;
  // In Prometheus' text form.
  [[nodiscard]] virtual std::string metrics() const = 0;
};

// What an observer is given. All of it outlives the observer.
struct ObserverContext {
  struct Kubernetes {
    config::ApiEndpoint endpoint;
    std::string metallb_namespace;  // empty: MetalLB's objects are left alone
  };
  boost::asio::any_io_executor executor;
  std::optional<Kubernetes> kubernetes;  // nothing: all that there is to see is in `objects`
  std::string load_balancer_class;
  Objects& objects;                               // what has a status, as it stands, and the way to write it
  std::function<void(const std::string&)> event;  // for the log
};
using ObserverFactory = std::function<std::unique_ptr<Observer>(const ObserverContext&)>;

}  // namespace controller
