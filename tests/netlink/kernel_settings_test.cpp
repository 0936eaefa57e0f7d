// SPDX-License-Identifier: Apache-2.0
#include "netlink/kernel_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/netlink/netns.hpp"

namespace netlink {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST(KernelSettings, WarnsOfWhatIsSlowOrSurprising) {
  EXPECT_THAT((KernelSettings{0, 1, 1, 1}.warnings()), IsEmpty());
  EXPECT_THAT((KernelSettings{1, 1, 1, 1}.warnings()), testing::ElementsAre(HasSubstr("nexthop_compat_mode")));
  EXPECT_THAT(
      (KernelSettings{0, 0, 0, 1}.warnings()),
      testing::ElementsAre(HasSubstr("ipv4.fib_multipath_hash_policy"), HasSubstr("ipv6.fib_multipath_hash_policy")));
}

TEST(KernelSettings, WarnsWhereTheKernelWillObeyNobody) {
  constexpr std::uint64_t all = ~std::uint64_t{0};
  EXPECT_THAT((KernelSettings{0, 1, 1, 1, all}.warnings()), IsEmpty());
  EXPECT_THAT((KernelSettings{0, 1, 1, 1, all ^ (1U << 13)}.warnings()),
              testing::ElementsAre(HasSubstr("CAP_NET_RAW")));
  EXPECT_THAT((KernelSettings{0, 1, 1, 1, 0}.warnings()),
              testing::ElementsAre(HasSubstr("CAP_NET_ADMIN"), HasSubstr("CAP_NET_RAW")));
  EXPECT_TRUE(read_kernel_settings().capabilities);
}

class KernelSettingsInKernel : public InNamespace {};

TEST_F(KernelSettingsInKernel, AreTunedWhereTheNamespaceIsOurs) {
  EXPECT_EQ(read_kernel_settings().nexthop_compat_mode, 1);
  Fib shared{{}};
  EXPECT_EQ(shared.settings().nexthop_compat_mode, 1);
  FibOptions options;
  options.network = Namespace::Owned;
  Fib owned{options};
  EXPECT_EQ(owned.settings().nexthop_compat_mode, 0);
  EXPECT_EQ(owned.settings().ipv6_skip_notify_on_dev_down, 1);
  EXPECT_EQ(owned.settings().ipv4_multipath_hash_policy, 1);
}

}  // namespace
}  // namespace netlink
