// SPDX-License-Identifier: Apache-2.0
#include "controller/allocation/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include "tests/controller/store/store_fixture.hpp"

namespace controller {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class AllocationMetricsTest : public testing::StoreTest {
 public:
  void settle() {
    ASSERT_TRUE(queue.run_until([this] { return loop.settled() && store->statistics().pending == 0; }));
  }
  std::string text() {
    metrics.update(loop);
    return prometheus::TextSerializer{}.Serialize(registry.Collect());
  }

  AllocationLoop loop{
      *store, "", {[] { return net::TimePoint{}; }, [this] { return now; }}, [this](std::function<void()> work) {
        queue.post(std::move(work));
      }};
  prometheus::Registry registry;
  AllocationMetrics metrics{registry};
};

TEST_F(AllocationMetricsTest, ShowWhatPoolsHaveAndForgetThoseThatAreGone) {
  const testing::json pool{{"spec", {{"addresses", {"192.0.2.1/32", "2001:db8::/127"}}}}};
  const testing::json service{{"spec", {{"type", "LoadBalancer"}, {"ports", {{{"port", 80}}}}}}};
  write_all({testing::create(testing::pool("web"), pool), testing::create(testing::service("a"), service)});
  loop.start();
  settle();
  EXPECT_THAT(text(),
              AllOf(HasSubstr("herald_pool_addresses{family=\"ipv4\",pool=\"web\"} 1\n"),
                    HasSubstr("herald_pool_addresses{family=\"ipv6\",pool=\"web\"} 2\n"),
                    HasSubstr("herald_pool_assigned_addresses{family=\"ipv4\",pool=\"web\"} 1\n"),
                    HasSubstr("herald_pool_services{pool=\"web\"} 1\n"),
                    HasSubstr("herald_allocation_assigned_total 1\n"), HasSubstr("herald_services_waiting 0\n")));
  loop.tick();
  write_all({testing::remove(testing::service("a")), testing::remove(testing::pool("web"))});
  ASSERT_TRUE(queue.run_until([this] { return loop.pools().empty() && loop.settled(); }));
  EXPECT_THAT(text(), Not(HasSubstr("pool=\"web\"")));
}

}  // namespace
}  // namespace controller
