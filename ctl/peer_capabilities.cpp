// SPDX-License-Identifier: Apache-2.0
#include "ctl/peer_capabilities.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "ctl/words.hpp"

namespace ctl {
namespace {

using nlohmann::json;

constexpr auto ipv4 = "ipv4-unicast";
constexpr auto ipv6 = "ipv6-unicast";

bool has(const json& object, const char* key, const std::string& entry) {
  const auto found = object.find(key);
  return found != object.end() && std::ranges::find(*found, json(entry)) != found->end();
}

// The entry of the list under `key` that is of the family.
const json* of_family(const json& object, const char* key, const std::string& family) {
  const auto found = object.find(key);
  if (found == object.end()) return nullptr;
  const auto entry = std::ranges::find_if(*found, [&](const json& each) { return word(each, "family") == family; });
  return entry == found->end() ? nullptr : &*entry;
}

std::string direction(bool receive, bool send) {
  return receive && send ? "receive, send" : receive ? "receive" : send ? "send" : "no";
}

class Rows {
 public:
  explicit Rows(const json& peer)
      : ours_(peer["capabilities"]["ours"]),  // braces would make it the entry of an array
        theirs_(peer["capabilities"].value("theirs", json::object())),
        agreed_(peer.value("negotiated", json::object())),
        up_{peer.contains("negotiated")} {}

  Table table() {
    add_families();
    add_flag("route refresh", "routeRefresh", agreed_.value("routeRefresh", false));
    add_flag("enhanced refresh", "enhancedRouteRefresh", agreed_.value("enhancedRouteRefresh", false));
    add_flag("4-octet AS numbers", "fourOctetAsn", agreed_.value("fourOctetAsn", false));
    add_flag("extended messages", "extendedMessages", agreed_.value("extendedMessages", false));
    add_flag("IPv6 next hops", "extendedNextHops", agreed_.value("ipv4OverIpv6NextHops", false));
    add_paths("add-path IPv4", ipv4);
    add_paths("add-path IPv6", ipv6);
    add_role();
    add_restart();
    add_long_lived("long-lived IPv4", ipv4, "/gracefulRestart/ipv4Unicast/longLivedStaleTimeSec"_json_pointer);
    add_long_lived("long-lived IPv6", ipv6, "/gracefulRestart/ipv6Unicast/longLivedStaleTimeSec"_json_pointer);
    if (theirs_.contains("unknown")) add("others", "no", "codes " + joined(theirs_, "unknown"), "no");
    return std::move(table_);
  }

 private:
  void add(const std::string& name, const std::string& ours, const std::string& theirs, const std::string& agreed) {
    if (!up_) return table_.add({name, ours, "-", "-"});
    table_.add({name, ours, theirs, {agreed, agreed == "no" ? Colour::None : Colour::Good}});
  }
  void add_flag(const char* name, const char* key, bool agreed) {
    add(name, yes(ours_.contains(key)), yes(theirs_.contains(key)), yes(agreed));
  }
  static std::string yes(bool is_so) { return is_so ? "yes" : "no"; }

  // RFC 4760 section 8: who names no family means IPv4 unicast.
  void add_families() {
    std::vector<std::string> names{ipv4, ipv6};
    for (const auto& family : theirs_.value("families", std::vector<std::string>{}))
      if (std::ranges::find(names, family) == names.end()) names.push_back(family);
    for (const auto& name : names) {
      const auto implied = name == ipv4 && !theirs_.contains("families");
      const auto shown = name == ipv4 ? "IPv4 unicast" : name == ipv6 ? "IPv6 unicast" : "family " + name;
      add(shown, yes(has(ours_, "families", name)), implied ? "implied" : yes(has(theirs_, "families", name)),
          yes(has(agreed_, "families", name)));
    }
  }
  void add_paths(const char* name, const std::string& family) {
    const auto offer = [&](const json& side) {
      const auto* found = of_family(side, "addPath", family);
      return found == nullptr ? std::string{"no"}
                              : direction(found->value("receive", false), found->value("send", false));
    };
    const auto ours = offer(ours_);
    const auto theirs = offer(theirs_);
    if (ours == "no" && theirs == "no") return;
    add(name, ours, theirs, direction(has(agreed_, "addPathReceive", family), has(agreed_, "addPathSend", family)));
  }
  void add_role() {
    const auto offer = [](const json& side) { return side.contains("roles") ? joined(side, "roles") : "no"; };
    if (!ours_.contains("roles") && !theirs_.contains("roles")) return;
    const auto agreed = agreed_.value("role", json::object());
    add("role", offer(ours_), offer(theirs_), yes(agreed.value("confirmed", false)));
  }
  void add_restart() {
    const auto offer = [](const json& side) {
      if (!side.contains("gracefulRestart")) return std::string{"no"};
      const auto& terms = side["gracefulRestart"];
      // RFC 4724 section 3: without families it sends End-of-RIB and keeps its peers' routes, and asks for nothing.
      const auto asks = !terms["families"].empty();
      return (asks ? word(terms, "restartTimeSec") + "s" : "helper") +
             (terms.value("restarting", false) ? ", restarting" : "");
    };
    add("graceful restart", offer(ours_), offer(theirs_), yes(agreed_.contains("gracefulRestart")));
    const auto outlives = [](const json& side) {
      return side.value("gracefulRestart", json::object()).value("notification", false);
    };
    if (outlives(ours_) || outlives(theirs_))
      add("N bit (RFC 8538)", yes(outlives(ours_)), yes(outlives(theirs_)), yes(outlives(agreed_)));
  }
  // RFC 9494 section 3.1: as above.
  void add_long_lived(const char* name, const std::string& family, const json::json_pointer& agreed) {
    static constexpr auto key = "longLivedGracefulRestart";
    const auto* ours = of_family(ours_, key, family);
    const auto* theirs = of_family(theirs_, key, family);
    if (ours == nullptr && theirs == nullptr) return;
    const auto offer = [](const json& side, const json* found) {
      if (found != nullptr) return word(*found, "staleTimeSec") + "s";
      return std::string{side.contains(key) && side[key].empty() ? "helper" : "no"};
    };
    const auto kept = agreed_.value(agreed, 0LL);
    add(name, offer(ours_, ours), offer(theirs_, theirs), kept == 0 ? "no" : std::to_string(kept) + "s");
  }

  json ours_;
  json theirs_;
  json agreed_;
  bool up_;
  Table table_{{"CAPABILITY", "OURS", "THEIRS", "AGREED"}};
};

}  // namespace

Table capabilities_of(const json& peer) {
  return Rows{peer}.table();
}

}  // namespace ctl
