// SPDX-License-Identifier: Apache-2.0
#include "insight/source.hpp"

#include <utility>

#include <boost/asio/post.hpp>
#include <nlohmann/json.hpp>

#include "insight/object_follower.hpp"

namespace insight {
namespace {

class ApiSource final : public Source {
 public:
  ApiSource(boost::asio::any_io_executor executor, config::ApiWatcher::Options options, OnChange on_change,
            std::function<void(const std::string&)> on_event)
      : watcher_{std::move(executor), std::move(options), std::move(on_change)} {
    watcher_.on_event = std::move(on_event);
  }
  void start() override { watcher_.start(); }
  void stop() override { watcher_.stop(); }
  [[nodiscard]] bool behind() const override { return watcher_.health().stale_since.has_value(); }

 private:
  config::ApiWatcher watcher_;
};

std::string key_of(const controller::ObjectKey& key) {
  return key.namespace_name.empty() ? key.name : key.namespace_name + "/" + key.name;
}

config::Changes changes_of(const ObjectFollower::Difference& difference) {
  config::Changes out;
  for (const auto& object : difference.set) {
    auto read = config::read_object(nlohmann::json::parse(object->text, nullptr, false));
    if (read.objects.size() == 1)
      out.set.push_back(std::move(read.objects.front()));
    else
      out.refused.push_back({{object->key.kind, key_of(object->key)}, std::move(read.problems)});
  }
  for (const auto& key : difference.removed) out.removed.push_back({key.kind, key_of(key)});
  return out;
}

class StoreSource final : public Source {
 public:
  StoreSource(boost::asio::any_io_executor executor, controller::Objects& objects, std::vector<config::Kind> kinds,
              OnChange on_change)
      : executor_{std::move(executor)},
        follower_{objects, std::move(kinds),
                  [on_change = std::move(on_change)](const ObjectFollower::Difference& difference) {
                    on_change(changes_of(difference));
                  }} {}
  void start() override {
    boost::asio::post(executor_, [this, still = std::weak_ptr<bool>{alive_}] {
      if (still.lock()) follower_.start();
    });
  }
  void stop() override {
    alive_.reset();
    follower_.stop();
  }
  [[nodiscard]] bool behind() const override { return false; }

 private:
  boost::asio::any_io_executor executor_;
  ObjectFollower follower_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace

std::unique_ptr<Source> follow_api(boost::asio::any_io_executor executor, config::ApiWatcher::Options options,
                                   Source::OnChange on_change, std::function<void(const std::string&)> on_event) {
  return std::make_unique<ApiSource>(std::move(executor), std::move(options), std::move(on_change),
                                     std::move(on_event));
}

std::unique_ptr<Source> follow_store(boost::asio::any_io_executor executor, controller::Objects& objects,
                                     std::vector<config::Kind> kinds, Source::OnChange on_change) {
  return std::make_unique<StoreSource>(std::move(executor), objects, std::move(kinds), std::move(on_change));
}

}  // namespace insight
