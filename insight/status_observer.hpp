// SPDX-License-Identifier: Apache-2.0
// Follows everything that statuses follow from, and while this controller leads has them written: of Herald's own
// objects, and in Kubernetes whether Services are announced. Also knows what reviews of objects need.
#pragma once

#include <memory>
#include <optional>

#include <boost/asio/steady_timer.hpp>

#include "config/resource_set.hpp"
#include "controller/observer.hpp"
#include "insight/announced_status.hpp"
#include "insight/object_conditions.hpp"
#include "insight/source.hpp"
#include "speaker/liveness.hpp"

namespace insight {

class StatusObserver final : public controller::Observer {
 public:
  explicit StatusObserver(const controller::ObserverContext& context);

  void start() override;
  void lead() override;
  void stand_by() override;
  void stop() override;
  [[nodiscard]] nlohmann::json review(const nlohmann::json& asked) const override;
  [[nodiscard]] std::string metrics() const override;

 private:
  void take(config::Changes changes);
  void tick();
  [[nodiscard]] NodeNames live(net::TimePoint now);
  [[nodiscard]] const config::Resources& resources() const { return set_.current().resources; }

  config::ResourceSet set_;
  std::unique_ptr<Source> source_;
  speaker::Liveness liveness_;
  std::optional<AnnouncedStatus> services_;  // in Kubernetes
  ObjectConditions objects_;
  boost::asio::steady_timer timer_;
  bool synced_ = false;
  bool leading_ = false;
};

[[nodiscard]] controller::ObserverFactory status_observer();

}  // namespace insight
