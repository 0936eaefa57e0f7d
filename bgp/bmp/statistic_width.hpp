// SPDX-License-Identifier: Apache-2.0
// How the value of each statistic is written (RFC 7854 section 4.8, RFC 8671 section 6.2). Internal to the codec.
#pragma once

#include "bgp/bmp/message.hpp"

namespace bgp::bmp {

struct StatisticWidth {
  unsigned octets = 0;  // 4: counter, 8: gauge; 0: the type is not known
  bool family = false;  // an AFI and a SAFI stand in front
};

[[nodiscard]] constexpr StatisticWidth statistic_width(StatisticType type) {
  switch (type) {
    case StatisticType::RejectedByPolicy:
    case StatisticType::DuplicateAdvertisements:
    case StatisticType::DuplicateWithdrawals:
    case StatisticType::ClusterListLoops:
    case StatisticType::AsPathLoops:
    case StatisticType::OriginatorLoops:
    case StatisticType::ConfederationLoops:
    case StatisticType::UpdatesTreatedAsWithdraw:
    case StatisticType::PrefixesTreatedAsWithdraw:
    case StatisticType::DuplicateUpdates:
      return {4, false};
    case StatisticType::AdjRibIn:
    case StatisticType::LocRib:
    case StatisticType::AdjRibOutPrePolicy:
    case StatisticType::AdjRibOut:
      return {8, false};
    case StatisticType::AdjRibInOfFamily:
    case StatisticType::LocRibOfFamily:
    case StatisticType::AdjRibOutPrePolicyOfFamily:
    case StatisticType::AdjRibOutOfFamily:
      return {8, true};
  }
  return {};
}

}  // namespace bgp::bmp
