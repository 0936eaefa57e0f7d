# SPDX-License-Identifier: Apache-2.0
"""What others see of a router: monitoring stations (BMP), and files (MRT) that another implementation reads.

    frr (65001) --eth1-- herald (65000) --eth2-- bird (65002), where the stations and GoBGP run, too
"""

import itertools
import json
import os
import re
import signal
import socket
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from integration import harness
from integration.harness import ctl, poll
from integration.test_router import values_of
from integration.between import BIRD, FRR, bgp_filter, bird, frr, peer, resources, topology
from tools.lab import Lab, Node

WARNING = 0x600000  # tshark's severity
OF_PEERS = ["pre-policy", "post-policy", "adj-rib-out", "malformed"]

# FRR says BIRD's route back to us: seen as it arrives, and in no table.
LOOPING = {"203.0.113.0/24"}

# A monitoring station: writes what it is sent to a file, anew for each connection. "slow": it reads nothing.
STATION = """
import socket, sys, threading
port, path, slow = int(sys.argv[1]), sys.argv[2], sys.argv[3] == "slow"
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
if slow:
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
server.bind(("10.0.2.1", port))
server.listen()
open(path + ".ready", "w").close()
number = 0
while True:
    client, _ = server.accept()
    number += 1
    with open(f"{path}.{number}", "wb", buffering=0) as out:
        while data := (threading.Event().wait() if slow else client.recv(65536)):
            out.write(data)
"""


class Table(dict[tuple[str, str], set[str]]):
    """(view, peer) -> IPv4 prefixes, by what a station was sent; views are pre, post, out and loc."""

    def __init__(self, stream: bytes) -> None:
        super().__init__()
        self.kinds: list[int] = []
        self.downs: list[int] = []
        while len(stream) >= 6:
            version, length, kind = struct.unpack("!BIB", stream[:6])
            assert version == 3 and length >= 6, (version, length)
            if len(stream) < length:
                break
            self.kinds.append(kind)
            self.take(kind, stream[6:length])
            stream = stream[length:]

    def take(self, kind: int, body: bytes) -> None:
        if kind not in (0, 2):
            return
        sort, flags = body[0], body[1]
        address = socket.inet_ntop(socket.AF_INET, body[22:26])
        if kind == 2:
            self.downs.append(body[42])
            for key in [key for key in self if key[1] == address]:
                del self[key]
            return
        view = "loc" if sort == 3 else "out" if flags & 0x10 else "post" if flags & 0x40 else "pre"
        update = body[42 + 19:]
        withdrawn = 2 + struct.unpack("!H", update[:2])[0]
        attributes = withdrawn + 2 + struct.unpack("!H", update[withdrawn:withdrawn + 2])[0]
        table = self.setdefault((view, address), set())
        table -= set(prefixes(update[2:withdrawn]))
        table |= set(prefixes(update[attributes:]))


def prefixes(run: bytes) -> Iterator[str]:
    while run:
        size = (run[0] + 7) // 8
        yield f"{socket.inet_ntop(socket.AF_INET, run[1:1 + size].ljust(4, bytes(1)))}/{run[0]}"
        run = run[1 + size:]


@contextmanager
def station(node: Node, port: int, how: str = "reads") -> Iterator[Callable[[], Table]]:
    """Within, the function tells what the station knows by its latest connection."""
    path = node.path(f"/tmp/station-{port}")
    for old in path.parent.glob(f"{path.name}.*"):
        old.unlink()
    with node.popen(["python3", "-c", STATION, str(port), f"/tmp/station-{port}", how]) as server:
        try:
            poll(lambda: path.with_name(f"{path.name}.ready").exists(), 10, what="the station listening")

            def latest() -> Table:
                files = sorted(path.parent.glob(f"{path.name}.[0-9]*"), key=lambda file: int(file.suffix[1:]))
                return Table(files[-1].read_bytes())

            yield latest
        finally:
            server.kill()


def stations(node: Node) -> list[dict[str, Any]]:
    return node.json(ctl(node, "status", "-o", "json"))["bmpStations"]


@pytest.fixture
def running(tmp_path: Path) -> Callable[[str], AbstractContextManager[Lab]]:
    def start(herald: str) -> AbstractContextManager[Lab]:
        feeder = frr(65001, 65000, {f"198.51.{100 + i}.0/24": "" for i in range(3)})
        files = {"herald": {"/etc/herald/router.yaml": herald}, "frr": feeder,
                 "bird": bird(65002, 65000, {"203.0.113.0/24": ""})}
        return harness.running(topology(tmp_path, files))

    return start


def up(lab: Lab) -> bool:
    return harness.established(lab.node("herald"), "frr", "bird")


def herald(*watchers: dict[str, Any], **spec: Any) -> str:
    no_102 = bgp_filter("no-102",
                        {"name": "drop", "action": "reject", "match": {"prefixes": [{"cidr": "198.51.102.0/24"}]}},
                        {"action": "accept", "set": {"localPref": 200}})
    configuration = {"asn": 65000, **spec}
    if watchers:
        configuration["bmpStations"] = list(watchers)
    return resources(configuration, no_102, peer("frr", 65001, **{"import": ["no-102"]}), peer("bird", 65002))


def test_stations_know_what_the_tables_hold_and_tshark_finds_nothing_wrong(running, tmp_path) -> None:
    one = {"address": BIRD, "port": 11019, "what": OF_PEERS, "statisticsInterval": "1s"}
    two = {"address": BIRD, "port": 11020, "what": ["loc-rib"]}
    with running(herald(one, two)) as lab:
        node, far = lab.node("herald"), lab.node("bird")
        with harness.captured(far, "eth1", "tcp portrange 11019-11020") as packets:
            # One that comes late, and one that was there before.
            with station(far, 11019) as told, station(far, 11020) as told_best:
                poll(lambda: up(lab), 30)
                all_of_frr = {"198.51.100.0/24", "198.51.101.0/24", "198.51.102.0/24"}
                accepted = all_of_frr - {"198.51.102.0/24"}

                def complete() -> bool:
                    table = told()
                    assert table.get(("pre", FRR)) == all_of_frr | LOOPING, table
                    assert table.get(("post", FRR)) == accepted, table
                    assert table.get(("out", BIRD)) == accepted, table
                    assert table.get(("out", FRR)) == {"203.0.113.0/24"}, table
                    assert table.get(("pre", BIRD)) == {"203.0.113.0/24"}, table
                    return told_best().get(("loc", "0.0.0.0")) == accepted | {"203.0.113.0/24"}

                poll(complete, 60, what="both stations having the tables")
                # Statistics are type 1; they come by themselves.
                poll(lambda: 1 in told().kinds, 15, what="a statistics report")
                # A change.
                lab.node("frr").run(["vtysh", "-c", "configure", "-c", "router bgp 65001", "-c",
                                     "address-family ipv4 unicast", "-c", "no network 198.51.101.0/24"])
                poll(lambda: told()[("pre", FRR)] == {"198.51.100.0/24", "198.51.102.0/24"} | LOOPING and
                     told()[("post", FRR)] == {"198.51.100.0/24"} and
                     told()[("out", BIRD)] == {"198.51.100.0/24"}, 15, what="the withdrawal")

                def followed() -> bool:
                    entry = [each for each in stations(node) if each["port"] == 11019][0]
                    assert entry["connected"] and entry["tablesComplete"] and entry["overflows"] == 0, entry
                    return True

                poll(followed, 15, what="the tables complete, by the status")
                shown = node.run(ctl(node, "status")).stdout
                assert re.search(r"BMP +10\.0\.2\.1 port 11019: connected for", shown), shown
                # A neighbour that ends its session, and what is left when Herald ends.
                far.run(["birdc", "disable", "peer"])
                poll(lambda: 3 in told().downs, 15, what="Peer Down with the NOTIFICATION of BIRD")
                # SIGINT: for good, so FRR is told, too.
                node.kill("herald-speaker", signal.SIGINT)
                poll(lambda: 1 in told().downs and 6 in told_best().downs, 15, what="Peer Down by Herald")
                poll(lambda: 5 in told().kinds and 5 in told_best().kinds, 15, what="Termination")
                # Version 3, a length below 65536, type 5, its first TLV with the reason.
                last = re.compile(rb"\x03\x00\x00..\x05\x00\x01\x00\x02", re.DOTALL)
                poll(lambda: len(last.findall(packets.read_bytes())) >= 2, 10, what="both Terminations in the capture")
        decode = ["-d", "tcp.port==11019,bmp", "-d", "tcp.port==11020,bmp"]
        as_json = [*decode, "-T", "json", "--no-duplicate-keys", "-J", "bmp bgp _ws.expert _ws.malformed"]
        layers = [packet["_source"]["layers"] for packet in json.loads(harness.tshark(far, "bmp", *as_json))]
        kinds = {kind for packet in layers for kind in values_of(packet, "bmp.type")}
        assert {"0", "1", "2", "3", "4", "5"} <= kinds, kinds
        wrong = f"(_ws.malformed || _ws.expert.severity >= {WARNING}) && tcp.port == "
        assert harness.tshark(far, wrong + "11019", *decode, "-V") == ""
        # This tshark takes the name of the table, which RFC 9069 has in the Peer Up of a Loc-RIB, for a BGP message.
        seen = harness.tshark(far, wrong + "11020", *decode, "-V")
        before_fault = [part.rpartition("BGP Monitoring Protocol, Type ")[2] for part in seen.split("[Malformed Packet")]
        assert [part.startswith("Peer Up") and "Loc-RIB" in part for part in before_fault[:-1:2]] == [True], seen


def test_a_station_that_comes_back_is_told_everything_anew(running) -> None:
    with running(herald({"address": BIRD, "port": 11019, "what": ["pre-policy", "loc-rib"]})) as lab:
        node, far = lab.node("herald"), lab.node("bird")
        poll(lambda: up(lab), 30)
        poll(lambda: stations(node)[0]["trouble"] == "Connection refused", 10, what="the reason in the status")
        for connection in (1, 2):
            with station(far, 11019) as told:
                # FRR is asked again for what the filters took away (RFC 2918).
                poll(lambda: told().get(("pre", FRR)) == {f"198.51.{100 + i}.0/24" for i in range(3)} | LOOPING and
                     told().get(("loc", "0.0.0.0")) == {"198.51.100.0/24", "198.51.101.0/24", "203.0.113.0/24"},
                     60, what="the tables")
                assert stations(node)[0]["connections"] == connection
            poll(lambda: not stations(node)[0]["connected"], 15, what="the loss noticed")
        metrics = node.run(["curl", "-s", "--unix-socket", "/run/herald/herald.sock", "http://x/metrics"]).stdout
        assert 'herald_bmp_connections_total{station="10.0.2.1:11019"} 2' in metrics, metrics


def test_a_station_that_reads_nothing_harms_nobody(running) -> None:
    slow = {"address": BIRD, "port": 11019, "what": [*OF_PEERS, "loc-rib"], "bufferLimit": 1}
    well = {"address": BIRD, "port": 11020, "what": ["loc-rib"]}
    with running(herald(slow, well)) as lab:
        node, far = lab.node("herald"), lab.node("bird")
        with station(far, 11019, "slow"), station(far, 11020) as told:
            poll(lambda: up(lab), 30)
            poll(lambda: all(entry["connected"] for entry in stations(node)), 60, what="both connected")
            feeder = lab.node("frr")
            poll(lambda: harness.frr_sessions(feeder)["10.0.1.254"][0] == "Established", 10, what="FRR's end up, too")
            before = harness.frr_sessions(feeder)
            # "delay-timer 0": a changed route map is applied when it is said, by clear.
            lines = ["bgp route-map delay-timer 0", "route-map flood permit 10", " set metric 1", "exit", "router bgp 65001",
                     " address-family ipv4 unicast", "  neighbor 10.0.1.254 route-map flood out"]
            lines += [f"  network 100.{64 + i // 256}.{i % 256}.0/24" for i in range(4000)]
            feeder.path("/tmp/flood").write_text("\n".join(lines) + "\n")
            feeder.run(["vtysh", "-f", "/tmp/flood"], timeout=120)
            poll(lambda: len(told()[("loc", "0.0.0.0")]) >= 4000, 60, what="the other station having all")
            metric = itertools.count(2)

            def given_up() -> bool:
                # All routes change again and again, until more waits than may.
                feeder.run(["vtysh", "-c", "configure", "-c", "route-map flood permit 10", "-c",
                            f"set metric {next(metric)}"])
                feeder.run(["vtysh", "-c", "clear bgp * soft out"])
                return [entry for entry in stations(node) if entry["port"] == 11019][0]["overflows"] >= 1

            poll(given_up, 120, what="the slow station given up")
            trouble = [entry for entry in stations(node) if entry["port"] == 11019][0]
            assert trouble["connected"] or trouble["trouble"].startswith("too slow: more than 1 MiB"), trouble
            assert len(told()[("loc", "0.0.0.0")]) >= 4000
            assert harness.frr_sessions(lab.node("frr")) == before
            assert harness.established(node, "frr", "bird")


@contextmanager
def gobgp(node: Node) -> Iterator[None]:
    config = "[global.config]\nas = 65099\nrouter-id = \"10.9.9.9\"\nport = -1\n"
    node.path("/tmp/gobgpd.toml").write_text(config)
    with node.popen(["gobgpd", "-f", "/tmp/gobgpd.toml", "--api-hosts", "127.0.0.1:50051"]) as daemon:
        try:
            poll(lambda: node.run("gobgp global").returncode == 0, 20, what="gobgpd answering")
            yield
        finally:
            daemon.kill()


def test_mrt_files_are_read_by_gobgp_and_by_heraldctl(running, tmp_path) -> None:
    mrt = {"directory": "/tmp/mrt", "updates": True, "rotation": "10s"}
    with running(herald(mrt=mrt)) as lab:
        node, far = lab.node("herald"), lab.node("bird")
        directory = node.path("/tmp/mrt")
        # The directory is not there: that is said, and changes nothing else.
        poll(lambda: up(lab), 30)
        poll(lambda: "No such file or directory" in node.json(ctl(node, "status", "-o", "json"))["mrt"]["trouble"], 10)
        refused = node.run(ctl(node, "mrt", "dump"), check=False)
        assert refused.returncode == 1 and "/tmp/mrt/rib." in refused.stderr, refused
        directory.mkdir()
        poll(lambda: harness.herald_best(node).keys() >= {"198.51.100.0/24", "198.51.101.0/24", "203.0.113.0/24"}, 15)

        said = node.run(ctl(node, "mrt", "dump")).stdout
        file = re.fullmatch(r"(/tmp/mrt/rib\.\d{8}\.\d{6}\.mrt): 3 prefixes\n", said)
        assert file, said
        assert sorted(path.name for path in directory.glob("*.part")) == []
        rows = node.json(["heraldctl", "mrt", "show", file[1], "-o", "json"])["rows"]
        by_prefix = {row["prefix"]: row for row in rows}
        assert by_prefix.keys() == {"198.51.100.0/24", "198.51.101.0/24", "203.0.113.0/24"}, rows
        row = by_prefix["198.51.100.0/24"]
        assert (row["peer"], row["peerAsn"], row["asPath"], row["nextHop"], row["localPref"]) == \
            (FRR, 65001, "65001", FRR, 200), row
        only = node.json(["heraldctl", "mrt", "show", file[1], "--peer", BIRD, "-o", "json"])["rows"]
        assert [row["prefix"] for row in only] == ["203.0.113.0/24"], only
        only = node.json(["heraldctl", "mrt", "show", file[1], "--prefix", "198.51.100.0/23", "-o", "json"])["rows"]
        assert {row["prefix"] for row in only} == {"198.51.100.0/24", "198.51.101.0/24"}, only

        # Another implementation takes the same from it.
        # Over and over: GoBGP's client ends before the daemon has taken what it gave last.
        far.path("/tmp/rib.mrt").write_bytes(3000 * node.path(file[1]).read_bytes())
        with gobgp(far):
            def injected() -> dict[str, Any]:
                far.run("gobgp mrt inject global /tmp/rib.mrt")
                rib = far.json("gobgp global rib -j")
                assert len(rib) == 3, rib
                return rib

            got = poll(injected, 15, what="three prefixes at GoBGP")
            assert {prefix: [[asn for each in path["attrs"] if each["type"] == 2
                              for part in each["as_paths"] for asn in part["asns"]] for path in paths]
                    for prefix, paths in got.items()} == \
                {"198.51.100.0/24": [[65001]], "198.51.101.0/24": [[65001]], "203.0.113.0/24": [[65002]]}, got

        # Updates, in files that follow each other.
        lab.node("frr").run(["vtysh", "-c", "configure", "-c", "router bgp 65001", "-c", "address-family ipv4 unicast",
                             "-c", "no network 198.51.101.0/24"])

        def updates() -> list[dict[str, Any]]:
            return [row for path in sorted(directory.glob("updates.*.mrt"))
                    for row in node.json(["heraldctl", "mrt", f"/tmp/mrt/{path.name}", "-o", "json"])["rows"]]

        poll(lambda: any(row["kind"] == "withdraw" and row["prefix"] == "198.51.101.0/24" and row["peer"] == FRR
                         for row in updates()), 15, what="the withdrawal in a file")
        lab.node("bird").run(["birdc", "restart", "peer"])
        poll(lambda: any(row["kind"] == "state" and row["peer"] == BIRD and row["text"].startswith("Established ->")
                         for row in updates()), 15, what="the loss of BIRD in a file")
        poll(lambda: any(row["kind"] == "announce" and row["prefix"] == "203.0.113.0/24" and row["asPath"] == "65002"
                         for row in updates()), 30, what="BIRD's route in a file")

        def second_file() -> bool:
            # There is none before there is something to write.
            far.run(["birdc", "reload", "out", "peer"])
            return len(list(directory.glob("updates.*.mrt"))) >= 2

        poll(second_file, 30, what="a second file")


def test_damaged_files_are_read_up_to_the_damage(tmp_path) -> None:
    program = Path(os.environ.get("HERALD_BIN", "build/release/bin")) / "heraldctl"

    def show(content: bytes, *words: str) -> subprocess.CompletedProcess[str]:
        file = tmp_path / "file.mrt"
        file.write_bytes(content)
        return subprocess.run([program, "mrt", "show", str(file), *words], capture_output=True, text=True, timeout=30)

    rib = bytes.fromhex("3b9aca00000d00020000000a" "00000000" "180a0101" "0000")
    damaged = show(rib + rib[:-3])
    assert damaged.returncode == 1, damaged
    assert "file.mrt: offset 41: the file ends within a record that began at offset 22" in damaged.stderr, damaged
    long_prefix = rib.replace(b"\x18", b"\x41")
    assert "offset 16: the prefix is longer than an address of its family" in show(long_prefix).stderr
    assert "the file is compressed: zcat" in show(b"\x1f\x8b" + bytes(20)).stderr
    nobody = bytes.fromhex("3b9aca00000d000200000012" "00000000" "180a0101" "0001" "0003" "00000000" "0000")
    assert "offset 0: a path of 10.1.1.0/24 is of peer 3, and the peer table before it has 0" in show(nobody).stderr
    assert show(b"").returncode == 0
    refused = show(b"", "--prefix", "x")
    assert (refused.returncode, refused.stderr) == (2, 'heraldctl: mrt: --prefix must be ADDRESS/LENGTH, got "x"\n')
