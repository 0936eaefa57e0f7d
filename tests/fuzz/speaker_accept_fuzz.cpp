// SPDX-License-Identifier: Apache-2.0
// The way of an UPDATE through a router. One neighbour says it; what the router accepts is shown as JSON, told to a
// second neighbour, told to a monitoring station or written to MRT files, and each of them must read it without
// a fault, and read the same. The neighbour may restart while its routes are kept, and say the same again, which must
// make no difference to anybody. When it leaves, nothing stays. The first two octets choose the sessions and who
// watches; where the second has its lowest two bits set, a third has more choices. The rest is the body.
#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bgp/mrt/table_writer.hpp"
#include "bgp/mrt/update_log.hpp"
#include "bgp/wire/framing.hpp"
#include "bgp/wire/text.hpp"
#include "speaker/control/views.hpp"
#include "tests/bgp/bmp/station.hpp"
#include "tests/bgp/speaker.hpp"
#include "tests/fuzz/require.hpp"

namespace {

using Json = nlohmann::ordered_json;
using Bytes = std::vector<std::uint8_t>;
using Table = bgp::bmp::TestStation::Table;

constexpr bgp::WallTime noon{1764000000, 0};
constexpr net::Seconds restart_time{120};

// The third octet.
constexpr unsigned says_ipv6_next_hops = 4;  // RFC 8950
constexpr unsigned hears_ipv6_next_hops = 8;
constexpr unsigned restarts = 16;
constexpr unsigned says_no_more = 32;  // but that this is all
constexpr unsigned forwarding_lost = 64;
constexpr unsigned away_for_long = 128;  // RFC 9494

bgp::SpeakerOptions options(unsigned number, std::uint8_t choice) {
  const bool internal = (choice & 1U) != 0;
  const bool two_octets = (choice & 2U) != 0;
  return {.name = number == 1 ? "one" : "two",
          .asn = net::Asn{internal ? 65000 : 65000 + number},
          .id = net::RouterId{0x0a000100 + number},
          .address = net::Ipv4Address{0x0a000100 + number},
          .asn_width = two_octets ? bgp::AsnWidth::TwoOctets : bgp::AsnWidth::FourOctets};
}

// Rejects one community and changes what it lets through.
bgp::FilterChain changing() {
  bgp::FilterRule marked;
  marked.name = "marked";
  marked.match.communities = {bgp::CommunityPattern::exactly(bgp::Community{0xfde80001})};
  marked.action = bgp::RuleAction::Reject;
  bgp::FilterRule others;
  others.name = "others";
  others.set.local_pref = 200;
  others.set.prepend = 2;
  others.set.add_large_communities = {{65000, 1, 2}};
  return {bgp::Filter{"changing", {marked, others}}};
}

// ---- as JSON ------------------------------------------------------------------------------------------

Json shown(const Json& json) {
  require(Json::parse(json.dump()) == json);
  return json;
}

template <class Value, class Parse>
void reads_back(const Json& json, const char* key, const std::vector<Value>& values, Parse parse) {
  const auto texts = json.value(key, Json::array());
  require(texts.size() == values.size());
  for (std::size_t i = 0; i < values.size(); ++i) require(parse(texts[i].get<std::string>()) == values[i]);
}

void show(const bgp::RouteRow& row) {
  const auto json = shown(speaker::view(row));
  require(net::parse_prefix(json["prefix"].get<std::string>()) == row.prefix);
  require(net::parse_ip(json["nextHop"].get<std::string>()) == row.attributes.next_hop.address);
  require(bgp::parse_origin(json["origin"].get<std::string>()) == row.attributes.origin);
  const auto path = bgp::parse_as_path(json["asPath"].get<std::string>());
  require(path && print(*path) == print(row.attributes.as_path));
  reads_back(json, "communities", row.attributes.communities, bgp::parse_community);
  reads_back(json, "largeCommunities", row.attributes.large_communities, bgp::parse_large_community);
  reads_back(json, "extendedCommunities", row.attributes.extended_communities, bgp::parse_extended_community);
  reads_back(json, "ipv6ExtendedCommunities", row.attributes.ipv6_extended_communities,
             bgp::parse_ipv6_extended_community);
}

// ---- the way ------------------------------------------------------------------------------------------

class Course {
 public:
  Course(std::uint8_t sessions, std::uint8_t terms, std::uint8_t more)
      : one_{router_, options(1, sessions)},
        two_{router_, options(2, sessions >> 2U)},
        watcher_{static_cast<Watcher>((has_more(terms) ? more : terms) % 4U % 3U)},
        more_{more} {
    const bool says_ids = (sessions & 16U) != 0;
    const bool hears_ids = (sessions & 32U) != 0;
    const bool extended = (sessions & 64U) != 0;
    one_.options().says_ids = {says_ids, says_ids};
    two_.options().hears_ids = {hears_ids, hears_ids};
    one_.options().ipv6_next_hops = (more & says_ipv6_next_hops) != 0;
    two_.options().ipv6_next_hops = (more & hears_ipv6_next_hops) != 0;
    two_.options().ipv4_on_link = !two_.options().ipv6_next_hops;
    if ((more & restarts) != 0) offer_restart(Forwarding::Kept);
    one_.options().extended_messages = two_.options().extended_messages = extended;

    auto from = one_.neighbor();
    from.aigp = true;
    from.session.add_path.receive = says_ids;
    if ((more & restarts) != 0) from.session.graceful_restart.mode = bgp::GracefulRestart::Mode::Helper;
    if ((more & away_for_long) != 0) from.session.graceful_restart.long_lived_time = net::Seconds{600};
    if ((sessions & 128U) != 0) from.import = changing();
    if ((terms & 4U) != 0) from.rejected = bgp::Kept::Yes;
    if ((terms & 8U) != 0) from.allowed_own_as = 3;
    auto to = two_.neighbor();
    to.aigp = true;
    to.session.add_path.send = hears_ids ? 2 : 0;
    to.out.reflector_client = (terms & 16U) != 0;
    to.out.private_as = static_cast<bgp::PrivateAs>(terms >> 5 & 1U ? 1 + (terms >> 6 & 1U) : 0);
    to.out.next_hop = (terms & 128U) != 0 ? bgp::NextHopMode::Keep : bgp::NextHopMode::Auto;
    router_.configure(router_.config(), std::vector{from, to}, bgp::start_time);
    require(one_.establish() && two_.establish());
    settle();
    if (watcher_ == Watcher::Station) watch();
    if (watcher_ == Watcher::Log) router_.observe(&log_);
  }
  ~Course() { router_.observe(nullptr); }
  Course(const Course&) = delete;
  Course& operator=(const Course&) = delete;

  static bool has_more(std::uint8_t terms) { return terms % 4U == 3; }

  void hear(std::span<const std::uint8_t> body) {
    one_.say(bgp::whole_message(bgp::MessageType::Update, body), now_);
    settle();
    if (watcher_ != Watcher::Log && !feed_) watch();
    settle();
    if (watcher_ == Watcher::Log) check_log(body);
    check_routes();
  }

  // The neighbour is away, and says the same when it is back.
  void restart(std::span<const std::uint8_t> body) {
    if ((more_ & restarts) == 0) return;
    const auto known = heard();
    const auto updates = two_.updates;
    const bool stays = (more_ & (away_for_long | says_no_more | forwarding_lost)) == 0;
    go_away();
    require(!stays || heard() == known);
    offer_restart((more_ & forwarding_lost) != 0 ? Forwarding::Lost : Forwarding::Kept);
    require(one_.establish(now_));
    settle();
    (void)log_.take();
    if ((more_ & says_no_more) == 0) hear(body);
    for (const auto family : {net::Family::Ipv4, net::Family::Ipv6}) one_.say_end_of_rib(family, now_);
    settle();
    (void)log_.take();
    check_routes();
    require(heard() == ((more_ & says_no_more) != 0 ? Table{} : known));
    require(!stays || two_.updates == updates);
  }

  // The neighbour goes, with all that it said.
  void leave() {
    one_.hang_up(now_);
    settle();
    // What would be kept is kept no longer, nor as a last resort.
    for (int i = 0; i < 2; ++i) pass(std::chrono::hours{1});
    // Until then the kernel has to be told that they are gone.
    router_.drain_route_changes(~std::size_t{0}, [](const net::Prefix&, std::span<const bgp::RouteHop>) {});
    const auto table = router_.table();
    require(table.ipv4_paths + table.ipv6_paths + table.ipv4_prefixes + table.ipv6_prefixes == 0);
    require(table.attribute_sets == 0);
    check_routes();
    require(two_.heard.empty() && two_.heard_paths.empty());
  }

 private:
  enum class Watcher : std::uint8_t { Station, LateStation, Log };
  enum class Forwarding : std::uint8_t { Kept, Lost };

  void offer_restart(Forwarding forwarding) {
    bgp::GracefulRestartCapability offer;
    offer.time = restart_time;
    std::vector<bgp::LongLivedFamily> long_lived;
    for (const auto family : {bgp::ipv4_unicast, bgp::ipv6_unicast}) {
      offer.families.push_back({family, forwarding == Forwarding::Kept});
      long_lived.push_back({family, forwarding == Forwarding::Kept, net::Seconds{600}});
    }
    one_.options().graceful_restart = offer;
    if ((more_ & away_for_long) != 0) one_.options().long_lived = long_lived;
  }

  void pass(net::Duration time) {
    now_ += time;
    router_.tick(now_);
    settle();
  }

  void go_away() {
    one_.hang_up(now_);
    settle();
    check_routes();
    if ((more_ & away_for_long) != 0) pass(restart_time + net::Seconds{1});
    check_routes();
  }

  void watch() {
    feed_ = std::make_unique<bgp::bmp::Feed>(router_, bgp::bmp::FeedConfig{.pre_policy = true,
                                                                           .post_policy = true,
                                                                           .adj_rib_out = true,
                                                                           .loc_rib = true,
                                                                           .malformed = true,
                                                                           .system_name = "fuzz",
                                                                           .system_description = {}});
    feed_->set_time(noon);
    feed_->open();
    router_.observe(feed_.get());
  }

  void settle() {
    for (bool busy = true; busy;) {
      busy = router_.work();
      busy = one_.listen() || busy;
      busy = two_.listen() || busy;
    }
    (void)router_.take_actions();
    if (feed_) station_.take(*feed_);
    require(one_.complaints.empty() && two_.complaints.empty() && station_.complaints.empty());
  }

  template <class Walk>
  static std::vector<bgp::RouteRow> rows(Walk&& walk) {
    std::vector<bgp::RouteRow> all;
    for (bgp::TableCursor cursor; !cursor.done();) walk(cursor, [&](const bgp::RouteRow& row) { all.push_back(row); });
    for (const auto& row : all) show(row);
    return all;
  }

  void check_routes() {
    const auto one = *router_.find("one");
    const auto two = *router_.find("two");
    Table accepted;
    for (const auto& row : rows([&](auto&at, auto visit) { router_.walk_in(one, at, 100, visit); }))
      if (!row.rejected) accepted[{row.prefix, row.path_id}] = row.attributes;
    Table best;
    for (const auto& row : rows([&](auto&at, auto visit) { router_.walk_best(at, 100, visit); })) {
      (void)shown(speaker::view_best({row}));
      if (row.best) best[{row.prefix, 0}] = row.attributes;
    }
    Table told;
    for (const auto& row : rows([&](auto&at, auto visit) { router_.walk_out(two, at, 100, visit); }))
      told[{row.prefix, row.path_id}] = row.attributes;

    require(told == heard());
    check_explanations();
    check_dump(accepted);
    const speaker::WallClock clock{bgp::start_time, {}};
    for (const auto& status : router_.neighbors())
      (void)shown(speaker::view(status, *router_.neighbor(status.id), router_.config(), clock));
    if (feed_) check_station(accepted, best, told);
  }

  [[nodiscard]] Table heard() const {
    Table all = two_.heard_paths;
    for (const auto& [prefix, attributes] : two_.heard) all[{prefix, 0}] = attributes;
    return all;
  }

  // Every prefix that is there, and why the second neighbour has it or has not.
  void check_explanations() {
    const auto known = heard();
    std::vector<net::Prefix> prefixes;
    for (bgp::TableCursor cursor; !cursor.done();)
      router_.walk_paths(cursor, 100, [&](bgp::NodeIndex, const net::Prefix& prefix, std::span<const bgp::Path>, bool) {
        prefixes.push_back(prefix);
      });
    for (const auto& prefix : prefixes) {
      const auto explanation = router_.explain(prefix);
      (void)shown(speaker::view(prefix, explanation));
      for (const auto& sent : explanation.exports) {
        if (sent.peer != "two") continue;
        const auto found = known.find({prefix, sent.path_id});
        require(sent.sent == (found != known.end()) && !sent.reason.empty());
        require(!sent.sent || sent.attributes == found->second);
      }
    }
  }

  // A station reads AIGP as what it does not know.
  static Table without_aigp(Table table) {
    for (auto& [key, attributes] : table) attributes.aigp.reset();
    return table;
  }
  void check_station(const Table& accepted, const Table& best, const Table& told) {
    const net::IpAddress one = one_.options().address;
    const bool up = router_.session(*router_.find("one")) != nullptr;
    require(station_.up.contains(one) == up);
    // Of a neighbour that is away a station has nothing, whatever is kept of it.
    require(station_.table("post", one) == (up ? without_aigp(accepted) : Table{}));
    require(station_.table("loc") == without_aigp(best));
    require(station_.table("out", two_.options().address) == without_aigp(told));
    // What filters let through and do not change was said.
    if (!up || !accepts_everything(router_.neighbor(*router_.find("one"))->import)) return;
    const auto& said = station_.table("pre", one);
    for (auto [key, attributes] : without_aigp(accepted)) {
      const auto found = said.find(key);
      require(found != said.end());
      attributes.local_pref = found->second.local_pref;  // RFC 8326 may have changed it
      require(attributes == found->second);
    }
  }

  // ---- MRT ----

  template <class Visit>
  static void each_record(std::span<const std::uint8_t> file, Visit visit) {
    constexpr auto header = bgp::mrt::header_size;
    while (!file.empty()) {
      require(file.size() >= header);
      const auto length = bgp::mrt::record_length(file.first<header>());
      require(length && *length <= file.size());
      const auto record = bgp::mrt::decode(file.first(*length));
      require(record.has_value());
      visit(record->content);
      file = file.subspan(*length);
    }
  }

  void check_dump(const Table& accepted) {
    bgp::mrt::TableWriter writer{router_, noon, bgp::start_time};
    Bytes file;
    while (writer.next(file, 100)) continue;
    Table written;
    each_record(file, [&](const auto& content) {
      const auto* rib = std::get_if<bgp::mrt::Rib>(&content);
      if (rib == nullptr) return;
      for (const auto& entry : rib->entries) {
        const auto attributes = bgp::mrt::decode_attributes(entry.attributes, bgp::AsnWidth::FourOctets);
        require(attributes.has_value());
        written[{rib->prefix, entry.path_id}] = *attributes;
      }
    });
    require(written == accepted);
  }

  // The first thing that was said since it watches.
  void check_log(std::span<const std::uint8_t> body) {
    std::size_t messages = 0;
    each_record(log_.take(), [&](const auto& content) {
      const auto* record = std::get_if<bgp::mrt::BgpMessage>(&content);
      if (record == nullptr) return;
      ++messages;
      require(record->message == bgp::whole_message(bgp::MessageType::Update, body));
      require(record->ends.width == one_.options().asn_width && record->ends.peer_asn == one_.options().asn);
    });
    require(messages == 1);
  }

  bgp::Router router_{{.asn = net::Asn{65000}, .router_id = net::RouterId{0x0a000001}}, 1};
  bgp::Speaker one_;
  bgp::Speaker two_;
  Watcher watcher_;
  unsigned more_;
  net::TimePoint now_ = bgp::start_time;
  std::unique_ptr<bgp::bmp::Feed> feed_;
  bgp::bmp::TestStation station_;
  bgp::mrt::UpdateLog log_{router_};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t limit = (data[0] & 64U) != 0 ? bgp::max_extended_message_size : bgp::max_message_size;
  const bool has_more = Course::has_more(data[1]);
  if (has_more && size < 3) return 0;
  const auto body = std::span{data, size}.subspan(has_more ? 3 : 2);
  if (body.size() < 4 || body.size() + bgp::header_size > limit) return 0;
  Course course{data[0], data[1], has_more ? data[2] : std::uint8_t{0}};
  course.hear(body);
  course.restart(body);
  course.leave();
  return 0;
}
