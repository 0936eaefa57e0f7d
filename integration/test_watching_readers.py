# SPDX-License-Identifier: Apache-2.0
"""Others read what Herald writes, and Herald reads what others write: bgpdump, BIRD and FRR (MRT), pmacct (BMP).

Herald (65000) between FRR (65001) and BIRD (65002) as in between.py, both families on each session. BIRD and Herald tell
each other of several paths of a prefix, with path identifiers (RFC 7911), so RFC 8050 applies to BIRD's routes."""

import json
import signal
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from integration import between, harness
from integration.between import (
    BIRD,
    FRR,
    HERALD,
    bgp_filter,
    bird_attributes,
    changed,
    ipv6,
    own,
    peer,
    resources,
    up,
)
from integration.harness import configure_frr, ctl, poll
from integration.test_watching import station
from tools.lab import Lab, Node

FRR6, BIRD6 = "2001:db8:1::1", "2001:db8:2::1"
ROUTER_ID = "10.0.0.254"
OWN, OWN6 = "192.0.2.0/24", "2001:db8:300::/48"
TAGS = "65001:1 65001:2"


class Way(NamedTuple):
    """What is said of one path. Readers show no MED and no LOCAL_PREF as 0."""

    as_path: str
    next_hop: str
    communities: str = ""
    med: int = 0
    local_pref: int = 0


Ways = dict[tuple[str, int], Way]  # by prefix and path identifier, which is 0 where there is none

FRR_SAYS: Ways = {
    ("198.51.100.0/24", 0): Way("65001 4200000001", FRR, TAGS, 7),
    ("198.51.101.0/24", 0): Way("65001", FRR),
    ("198.51.102.0/24", 0): Way("65001", FRR),
    ("2001:db8:100::/48", 0): Way("65001 4200000001", FRR6, TAGS, 7),
    ("2001:db8:101::/48", 0): Way("65001", FRR6),
}
# The filter drops one and prefers the others.
FROM_FRR = {key: way._replace(local_pref=200) for key, way in FRR_SAYS.items() if key[0] != "198.51.102.0/24"}

BIRD_SAYS = [
    ("2001:db8:200::/48", Way("65002", BIRD6, "65002:1")),
    ("2001:db8:200::/48", Way("65002 4200000002", BIRD6)),
    ("203.0.113.0/24", Way("65002", BIRD, "65002:1")),
    ("203.0.113.0/24", Way("65002 4200000002", BIRD)),
]

TO_FRR: Ways = {
    (OWN, 0): Way("65000", "10.0.1.254"),
    ("203.0.113.0/24", 0): Way("65000 65002", "10.0.1.254", "65002:1"),
    ("2001:db8:200::/48", 0): Way("65000 65002", "2001:db8:1::fe", "65002:1"),
}
TO_BIRD: Ways = {
    (OWN, 1): Way("65000", "10.0.2.254"),
    ("198.51.100.0/24", 1): Way("65000 65001 4200000001", "10.0.2.254", TAGS),
    ("198.51.101.0/24", 1): Way("65000 65001", "10.0.2.254"),
    ("2001:db8:100::/48", 1): Way("65000 65001 4200000001", "2001:db8:2::fe", TAGS),
    ("2001:db8:101::/48", 1): Way("65000 65001", "2001:db8:2::fe"),
}


def frr() -> dict[str, str]:
    maps = f"""route-map tagged permit 10
 set community {TAGS}
 set large-community 65001:2:3
 set metric 7
 set as-path prepend 4200000001
exit
bgp as-path access-list not-back deny _65000_
bgp as-path access-list not-back permit .*"""
    networks = {"198.51.100.0/24": "tagged", "198.51.101.0/24": "", "198.51.102.0/24": ""}
    not_back = f"neighbor {HERALD} filter-list not-back out"
    more = ipv6("2001:db8:100::/48 route-map tagged", "2001:db8:101::/48")
    return between.frr(65001, 65000, networks, *more[:-1], not_back, more[-1], f"af {not_back}", global_lines=maps)


def bird() -> dict[str, str]:
    both = 'ipv6 { import all; export where proto ~ "origin*"; add paths on; next hop address 2001:db8:2::1; };'
    plain = between.bird(65002, 65000, {}, options=f"mrtdump {{ messages }}; {both}", channel="add paths on;")
    tagged = "bgp_community = -empty-; bgp_community.add((65002, 1));"
    longer = "bgp_path = +empty+; bgp_path.prepend(4200000002);"
    routes = [("ipv4", "203.0.113.0/24", tagged), ("ipv4", "203.0.113.0/24", longer),
              ("ipv6", "2001:db8:200::/48", tagged), ("ipv6", "2001:db8:200::/48", longer)]
    origins = "".join(f"protocol static origin{n} {{ {family}; route {prefix} blackhole {{ {set_} }}; }}\n"
                      for n, (family, prefix, set_) in enumerate(routes))
    files = changed(plain, "protocol bgp peer", f'mrtdump "/tmp/messages.mrt";\n{origins}protocol bgp peer')
    return changed(files, 'proto = "origin"', 'proto ~ "origin*"')


def running(directory: Path, *prefixes: str, **spec: Any) -> AbstractContextManager[Lab]:
    """`prefixes`: Herald's own."""
    prefer = bgp_filter("prefer",
                        {"action": "reject", "match": {"prefixes": [{"cidr": "198.51.102.0/24"}]}},
                        {"action": "accept", "set": {"localPref": 200}})
    herald = resources({"asn": 65000, **spec}, prefer, own(*(prefixes or [OWN])),
                       peer("frr", 65001, **{"import": ["prefer"]}),
                       peer("bird", 65002, addPath={"receive": True, "send": 2}))
    return between.running(directory, herald, frr(), bird())


# --- what each of them says, in the same words


def of_heraldctl(rows: Iterable[dict[str, Any]]) -> Ways:
    return {(row["prefix"], row.get("pathId", 0)):
            Way(row["asPath"], row["nextHop"], " ".join(row.get("communities", [])), row.get("med", 0),
                row.get("localPref", 0)) for row in rows}


def table(lab: Lab, which: str, name: str) -> Ways:
    """`heraldctl routes in` or `out`."""
    node = lab.node("herald")
    return of_heraldctl(node.json(ctl(node, "routes", which, "--peer", name, "-o", "json"))["routes"])


def without_ids(ways: Ways) -> list[tuple[str, Way]]:
    return sorted((prefix, way) for (prefix, _), way in ways.items())


def settled(lab: Lab) -> bool:
    assert up(lab)
    assert table(lab, "in", "frr") == FROM_FRR
    assert without_ids(table(lab, "in", "bird")) == BIRD_SAYS
    assert table(lab, "out", "frr") == TO_FRR
    assert table(lab, "out", "bird") == TO_BIRD
    return True


def bgpdump(node: Node, *files: str) -> tuple[dict[str, Ways], dict[str, set[str]]]:
    """peer -> what it has said and not withdrawn, and peer -> kinds of records, as bgpdump prints them."""
    ways: dict[str, Ways] = defaultdict(dict)
    kinds: dict[str, set[str]] = defaultdict(set)
    for line in (line for file in files for line in node.run(["bgpdump", "-m", file]).stdout.splitlines()):
        kind, _, what, address, _, *rest = line.split("|")
        if what == "STATE":
            continue
        kinds[address].add(kind)
        key = rest.pop(0), int(rest.pop(0)) if kind.endswith("_AP") else 0
        if what == "W":
            ways[address].pop(key, None)
        else:
            as_path, _, next_hop, local_pref, med, communities, *_ = rest
            ways[address][key] = Way(as_path, next_hop, communities, int(med), int(local_pref))
    return dict(ways), dict(kinds)


def mrt_show(node: Node, file: str, *words: str) -> list[dict[str, Any]]:
    return node.json(["heraldctl", "mrt", "show", file, "-o", "json", *words])["rows"]


def of_kind(rows: list[dict[str, Any]], kind: str) -> Ways:
    return of_heraldctl(row for row in rows if row["kind"] == kind)


def in_bird(node: Node) -> Ways:
    """What BIRD has from Herald, in its own words."""
    return {(prefix, 1): Way(one["as_path"], one["next_hop"], one.get("community", "").replace(",", ":").translate(
        {ord("("): None, ord(")"): None}), int(one.get("med", 0))) for prefix, one in bird_attributes(node).items()}


def in_frr(node: Node) -> Ways:
    """What FRR has from Herald, in its own words."""
    found: Ways = {}
    for prefix, _ in TO_FRR:
        family = "ipv6" if ":" in prefix else "ipv4"
        for path in node.json(["vtysh", "-c", f"show bgp {family} unicast {prefix} json"])["paths"]:
            hop = next(each["ip"] for each in path["nexthops"] if each.get("scope", "global") == "global")
            found[prefix, 0] = Way(path["aspath"]["string"], hop, path.get("community", {}).get("string", ""))
    return found


def dumped(node: Node) -> str:
    """The file of a table that is written now."""
    return node.run(ctl(node, "mrt", "dump")).stdout.partition(": ")[0]


# --- MRT


def test_bgpdump_reads_the_tables_with_every_path_and_its_identifier(tmp_path) -> None:
    with running(tmp_path, mrt={"directory": "/tmp"}) as lab:
        node = lab.node("herald")
        poll(lambda: settled(lab), 60, what="the tables")
        file = dumped(node)
        ways, kinds = bgpdump(node, file)
        assert ways == {FRR: table(lab, "in", "frr"), BIRD: table(lab, "in", "bird"),
                        ROUTER_ID: {(OWN, 0): Way("", "0.0.0.0")}}
        # RFC 8050 for those who have path identifiers, and only for them.
        assert kinds == {FRR: {"TABLE_DUMP2"}, BIRD: {"TABLE_DUMP2_AP"}, ROUTER_ID: {"TABLE_DUMP2"}}
        # The form of one line a route leaves large communities out.
        assert node.run(["bgpdump", file]).stdout.count("\nLARGE_COMMUNITY: 65001:2:3\n") == 2
        rows = mrt_show(node, file)
        assert of_heraldctl(row for row in rows if row["peer"] == BIRD) == ways[BIRD]


def test_bgpdump_reads_an_own_ipv6_route_with_the_unspecified_next_hop(tmp_path) -> None:
    with running(tmp_path, OWN6, mrt={"directory": "/tmp"}) as lab:
        node = lab.node("herald")
        poll(lambda: OWN6 in harness.herald_best(node), 30, what="the own route")
        assert bgpdump(node, dumped(node))[0][ROUTER_ID] == {(OWN6, 0): Way("", "::")}


def test_bgpdump_reads_updates_and_withdrawals_as_they_arrived(tmp_path) -> None:
    with running(tmp_path, mrt={"directory": "/tmp", "updates": True}) as lab:
        node = lab.node("herald")

        def read() -> tuple[dict[str, Ways], dict[str, set[str]]]:
            return bgpdump(node, *(f"/tmp/{path.name}" for path in sorted(node.path("/tmp").glob("updates.*.mrt"))))

        poll(lambda: settled(lab), 60, what="the tables")
        from_bird = table(lab, "in", "bird")
        # As it arrived: with what the filter drops, and without what it sets.
        poll(lambda: read()[0] == {FRR: FRR_SAYS, BIRD: from_bird}, 15, what="all updates in the file")
        assert read()[1] == {FRR: {"BGP4MP_ET"}, BIRD: {"BGP4MP_ET_AP"}}

        gone = ["198.51.101.0/24", "2001:db8:101::/48"]
        configure_frr(lab.node("frr"), "router bgp 65001", "address-family ipv4 unicast", f"no network {gone[0]}", "exit",
                  "address-family ipv6 unicast", f"no network {gone[1]}")
        for origin in ("origin1", "origin3"):
            lab.node("bird").run(f"birdc disable {origin}")
        left = {FRR: {key: way for key, way in FRR_SAYS.items() if key[0] not in gone},
                BIRD: {key: way for key, way in from_bird.items() if "4200000002" not in way.as_path}}
        poll(lambda: read()[0] == left, 15, what="the withdrawals in the file")


def test_heraldctl_reads_what_bird_writes(tmp_path) -> None:
    with running(tmp_path) as lab:
        node = lab.node("bird")
        poll(lambda: settled(lab) and in_bird(node) == TO_BIRD, 60, what="the tables")
        node.run(["birdc", 'mrt dump table "*" to "/tmp/tables.mrt"'])
        # Everything that BIRD has, its own routes as those of a peer without an address.
        rows = poll(lambda: mrt_show(node, "/tmp/tables.mrt"), what="the file of the tables")
        from_herald = of_heraldctl(row for row in rows if row["peer"] == "10.0.2.254")
        assert from_herald == {key: way._replace(local_pref=100) for key, way in TO_BIRD.items()}
        its_own = [(row["prefix"], row["asPath"]) for row in rows if row["peerAsn"] == 0]
        assert {("203.0.113.0/24", ""), ("203.0.113.0/24", "4200000002"),
                ("2001:db8:200::/48", ""), ("2001:db8:200::/48", "4200000002")} <= set(its_own)
        assert {tuple(row["largeCommunities"]) for row in rows if "largeCommunities" in row} == {("65001:2:3",)}
        # Messages, with path identifiers.
        rows = mrt_show(node, "/tmp/messages.mrt", "--peer", "10.0.2.254")
        assert of_kind(rows, "announce") == TO_BIRD
        assert [row["text"] for row in rows if row["kind"] == "end-of-rib"] in (["IPv4", "IPv6"], ["IPv6", "IPv4"])
        assert {"OPEN", "KEEPALIVE"} <= {row["text"] for row in rows if row["kind"] == "message"}


def test_heraldctl_reads_what_frr_writes(tmp_path) -> None:
    with running(tmp_path) as lab:
        node = lab.node("frr")
        poll(lambda: settled(lab) and in_frr(node) == TO_FRR, 60, what="the tables")
        # FRR writes all messages, or only updates, in one of two forms at a time.
        for what, kinds in (("all", {"announce", "message"}), ("updates-et", {"announce"})):
            configure_frr(node, f"dump bgp {what} /tmp/{what}.mrt")
            node.run(["vtysh", "-c", "clear bgp ipv4 unicast * soft in", "-c", "clear bgp ipv6 unicast * soft in"])

            def told_again() -> bool:
                rows = mrt_show(node, f"/tmp/{what}.mrt", "--peer", HERALD)
                assert of_kind(rows, "announce") == TO_FRR, rows
                return {row["kind"] for row in rows} - {"end-of-rib"} == kinds

            poll(told_again, what=f"all of {what}")
        configure_frr(node, "dump bgp routes-mrt /tmp/tables.mrt 1")

        def whole() -> bool:
            rows = mrt_show(node, "/tmp/tables.mrt")
            assert of_heraldctl(row for row in rows if row["peer"] == HERALD) == TO_FRR, rows
            # Its own routes have not got its AS number yet.
            its_own = {(prefix, 0): way._replace(as_path=way.as_path[6:], next_hop="::" if ":" in prefix else "0.0.0.0")
                       for (prefix, _), way in FRR_SAYS.items()}
            return of_heraldctl(row for row in rows if row["peer"] == "0.0.0.0") == its_own

        poll(whole, what="the file of the tables")


# --- BMP


class Told:
    """What a station of pmacct has logged."""

    def __init__(self, text: str) -> None:
        self.entries = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
        self.tables: dict[tuple[str, str], Ways] = defaultdict(dict)
        for one in self.of_type("route_monitor"):
            if "ip_prefix" not in one:
                continue
            view = "loc" if "is_loc" in one else "out" if "is_out" in one else "post" if one["is_post"] else "pre"
            ways, key = self.tables[view, one["peer_ip"]], (one["ip_prefix"], one.get("as_path_id", 0))
            if one["log_type"] == "withdraw":
                ways.pop(key, None)
            else:
                ways[key] = Way(one["as_path"], one["bgp_nexthop"], one.get("comms", ""), one.get("med", 0),
                                one.get("local_pref", 0))

    def of_type(self, name: str) -> list[dict[str, Any]]:
        return [one for one in self.entries if one.get("bmp_msg_type") == name]


@contextmanager
def pmbmpd(node: Node, port: int) -> Iterator[Callable[[], Told]]:
    """Within, the function tells what the station has logged."""
    node.path("/tmp/pmbmpd.conf").write_text(
        f"bmp_daemon_ip: {BIRD}\nbmp_daemon_port: {port}\nbmp_daemon_msglog_file: /tmp/bmp.log\n")
    with node.popen(["pmbmpd", "-f", "/tmp/pmbmpd.conf"]) as daemon:
        log = node.path("/tmp/bmp.log")
        try:
            yield lambda: Told(log.read_text() if log.exists() else "")
        finally:
            daemon.kill()


def test_pmbmpd_and_another_station_know_every_table(tmp_path) -> None:
    stations = [{"address": BIRD, "port": 11019, "what": ["pre-policy", "post-policy", "adj-rib-out", "loc-rib"],
                 "statisticsInterval": "1s"},
                {"address": BIRD, "port": 11020, "what": ["loc-rib"]}]
    with running(tmp_path, bmpStations=stations) as lab:
        node, far = lab.node("herald"), lab.node("bird")
        with pmbmpd(far, 11019) as told, station(far, 11020) as told_best:
            poll(lambda: settled(lab), 60, what="the tables")
            from_bird = table(lab, "in", "bird")
            best = {(OWN, 0): Way("", "0.0.0.0"), **FROM_FRR,
                    **{(prefix, 0): way for prefix, way in BIRD_SAYS if way.as_path == "65002"}}

            def complete() -> bool:
                known = told().tables
                assert known["pre", FRR] == FRR_SAYS, known["pre", FRR]
                assert known["post", FRR] == FROM_FRR, known["post", FRR]
                assert known["out", FRR] == TO_FRR, known["out", FRR]
                assert known["pre", BIRD] == known["post", BIRD] == from_bird, known["pre", BIRD]
                assert known["out", BIRD] == TO_BIRD, known["out", BIRD]
                assert known["loc", "0.0.0.0"] == best, known["loc", "0.0.0.0"]
                assert told_best()["loc", "0.0.0.0"] == {prefix for prefix, _ in best if ":" not in prefix}
                return True

            poll(complete, 60, what="both stations having the tables")
            assert {(one["peer_ip"], one["peer_asn"], one["bgp_id"]) for one in told().of_type("peer_up")} == \
                {("0.0.0.0", 65000, ROUTER_ID), (FRR, 65001, "10.0.1.1"), (BIRD, 65002, "10.0.2.1")}
            assert {one["bmp_init_info_sysname"] for one in told().of_type("init")} == {"herald"}
            # Statistics: 7 and 15 are the routes that a peer has told and been told, 8 those of the Loc-RIB.
            counted = [(FRR, 7, len(FROM_FRR)), (FRR, 15, len(TO_FRR)), (BIRD, 7, len(from_bird)),
                       (BIRD, 15, len(TO_BIRD)), ("0.0.0.0", 8, len(best))]
            poll(lambda: {(one["peer_ip"], one["counter_type"], one["counter_value"])
                          for one in told().of_type("stats")} >= set(counted), what="the statistics")

            # What goes, goes at both.
            far.run("birdc disable peer")
            poll(lambda: [(one["peer_ip"], one["reason_type"]) for one in told().of_type("peer_down")] == [(BIRD, 3)],
                 what="the end of BIRD's session")
            poll(lambda: told().tables["loc", "0.0.0.0"].keys() == {(OWN, 0), *FROM_FRR} and
                 told().tables["out", FRR].keys() == {(OWN, 0)} and
                 told_best()["loc", "0.0.0.0"] == {OWN, "198.51.100.0/24", "198.51.101.0/24"}, what="BIRD's routes gone")
            node.kill("herald-speaker", signal.SIGINT)
            poll(lambda: len(told().of_type("term")) == 1 and 5 in told_best().kinds, what="Termination")
            assert [(one["peer_ip"], one["reason_type"]) for one in told().of_type("peer_down")[1:]] == \
                [(FRR, 1), ("0.0.0.0", 6)]


def test_pmbmpd_takes_an_own_ipv6_route_of_the_loc_rib(tmp_path) -> None:
    with running(tmp_path, OWN6, bmpStations=[{"address": BIRD, "port": 11019, "what": ["loc-rib"]}]) as lab:
        with pmbmpd(lab.node("bird"), 11019) as told:
            # What comes after it is there.
            poll(lambda: FROM_FRR.keys() <= told().tables["loc", "0.0.0.0"].keys(), 60, what="the routes of FRR")
            assert told().tables["loc", "0.0.0.0"].get((OWN6, 0)) == Way("", "::")
