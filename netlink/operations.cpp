// SPDX-License-Identifier: Apache-2.0
#include "netlink/operations.hpp"

#include <string_view>

namespace netlink {

std::string_view print(Outcome outcome) {
  switch (outcome) {
    case Outcome::Absent:
      return "absent";
    case Outcome::Pending:
      return "pending";
    case Outcome::Programmed:
      return "programmed";
    case Outcome::Waiting:
      return "waiting";
    case Outcome::Failed:
      return "failed";
    case Outcome::Stale:
      return "stale";
  }
  return "";
}

}  // namespace netlink
