# SPDX-License-Identifier: Apache-2.0
"""FRR's topics (docs/coverage.md): graceful restart, long-lived and by BFD.

Herald between FRR and BIRD as in between.py. AS numbers are the tests' own."""

import signal

import pytest

from integration import harness
from integration.between import (
    COMMON,
    HERALD,
    PLAIN,
    before_neighbours,
    bird,
    bird_attributes,
    changed,
    frr,
    own,
    peer,
    reload,
    resources,
    running,
    stale,
    statics,
    up,
)
from integration.harness import configure_frr, ctl, herald_best, herald_peers, kernel_routes, poll


KEEPS = ("bgp graceful-restart", "bgp graceful-restart preserve-fw-state")


def test_routes_outlive_a_notification_unless_it_is_a_hard_reset(tmp_path) -> None:
    def herald(hold_time: str) -> str:
        return resources({"asn": 65000}, own("192.0.2.0/24"), peer("bird", 65002),
                         peer("frr", 65001, gracefulRestart={"mode": "full"}, holdTime=hold_time))

    feeder_files = frr(65001, 65000, PLAIN, f"neighbor {HERALD} timers 1 3",
                       global_lines=before_neighbours(*KEEPS, "bgp graceful-restart restart-time 20"))
    with running(tmp_path, herald("3s"), feeder_files, bird(65002, 65000, {})) as lab:
        node, feeder = lab.node("herald"), lab.node("frr")
        poll(lambda: up(lab) and "198.51.100.0/24" in kernel_routes(node, 4), 30)
        assert herald_peers(node)["frr"]["negotiated"]["gracefulRestart"]["notification"] is True
        with harness.watched_routes(node) as changes:
            feeder.kill("bgpd", signal.SIGSTOP)
            try:
                poll(lambda: stale(lab, "frr") == 1, 15, what="stale")
                assert 'to=Connect reason="Hold Timer Expired"' in node.log("herald-speaker")
            finally:
                feeder.kill("bgpd", signal.SIGCONT)
            poll(lambda: up(lab) and stale(lab, "frr") == 0, 30, what="back")
            # A change of Herald's that opens the session anew.
            with harness.watched_routes(feeder) as changes_of_frr:
                before = herald_peers(node)["frr"]["establishedCount"]
                reload(lab, tmp_path, herald("4s"))
                poll(lambda: herald_peers(node)["frr"]["establishedCount"] > before, 30, what="opened anew")
                assert 'reason="Cease/Other Configuration Change"' in node.log("herald-speaker")
                assert [line for line in changes_of_frr() if "192.0.2.0/24" in line] == []
            assert [line for line in changes() if "198.51.100.0/24" in line] == []
        # What is meant for good is a hard reset, from either side.
        with harness.captured(feeder, "eth1", "tcp port 179") as packets:
            node.run(ctl(node, "restart", "frr"))
            administrative_reset = b"\xff" * 16 + b"\x00\x17\x03\x06\x09\x06\x04"  # within Cease/Hard Reset
            poll(lambda: administrative_reset in packets.read_bytes(), 10, what="the hard reset on the wire")
        poll(lambda: up(lab) and "198.51.100.0/24" in kernel_routes(node, 4), 30, what="back")
        configure_frr(feeder, "router bgp 65001", f"neighbor {HERALD} shutdown")
        poll(lambda: "198.51.100.0/24" not in kernel_routes(node, 4), 10, what="nothing kept")


def test_long_lived_stale_routes_are_kept_from_neighbours_that_do_not_know_them(tmp_path) -> None:
    restart = {"gracefulRestart": {"mode": "full", "longLivedStaleTime": "60s"}}
    herald = resources({"asn": 65000}, peer("frr", 65001, **restart), peer("bird", 65002, **restart))
    lines = before_neighbours(*KEEPS, "bgp graceful-restart restart-time 1",
                              "bgp long-lived-graceful-restart stale-time 60")
    with running(tmp_path, herald, frr(65001, 65000, PLAIN, global_lines=lines),
                 bird(65002, 65000, {}, options="long lived graceful restart off;")) as lab:
        node, far = lab.node("herald"), lab.node("bird")
        poll(lambda: up(lab) and bird_attributes(far).keys() == PLAIN.keys(), 30)
        lab.node("frr").kill("bgpd")
        poll(lambda: "llgr-stale" in herald_best(node)["198.51.100.0/24"].get("communities", []), 20, what="long-lived")
        poll(lambda: bird_attributes(far) == {}, what="withdrawn from BIRD")
        assert "198.51.100.0/24" in kernel_routes(node, 4), "still used here"
        [sent] = [each for each in node.json(ctl(node, "explain", "route", "198.51.100.0/24", "-o", "json"))["exports"]
                  if each["peer"] == "bird"]
        assert sent["reason"].startswith("long-lived stale"), sent


def test_all_paths_of_a_neighbour_outlive_its_restart_and_become_a_last_resort(tmp_path) -> None:
    restart = {"gracefulRestart": {"mode": "full", "longLivedStaleTime": "60s"}, "addPath": {"receive": True}}
    herald = resources({"asn": 65000}, peer("frr", 65001), peer("bird", 65002, **restart))
    options = ("graceful restart yes; graceful restart time 1;"
               "long lived graceful restart yes; long lived stale time 60;")
    other = statics(bird(65002, 65000, {}, options=options, channel="add paths tx; next hop keep;"),
                    [f"{COMMON} via 10.0.2.{number}" for number in (101, 102)])
    with running(tmp_path, herald, frr(65001, 65000, PLAIN), other) as lab:
        node, far = lab.node("herald"), lab.node("bird")
        poll(lambda: up(lab) and len(kernel_routes(node, 4)[COMMON]["hops"]) == 2, 30)
        with harness.watched_routes(node) as changes:
            far.kill("bird")
            poll(lambda: "llgr-stale" in herald_best(node)[COMMON].get("communities", []), 20, what="a last resort")
            assert stale(lab, "bird") == 2
            # -R: it says that it has gone on forwarding.
            far.start("bird", [*far.record.processes["bird"].argv, "-R"])
            poll(lambda: up(lab) and stale(lab, "bird") == 0, 60, what="back")
            assert "communities" not in herald_best(node)[COMMON]
            assert [line for line in changes() if line.startswith("Deleted") and COMMON in line] == []
        assert len(kernel_routes(node, 4)[COMMON]["hops"]) == 2


@pytest.mark.parametrize("apart", [False, True], ids=["one-control-plane", "apart"])
def test_a_loss_by_bfd_costs_routes_where_it_cannot_be_the_control_plane(tmp_path, apart: bool) -> None:
    """FRR's bfdd is frozen. Its packets have the C bit where FRR is to look at it itself (RFC 5882 section 4.3)."""
    profile = {"apiVersion": "herald.dev/v1", "kind": "BFDProfile", "metadata": {"name": "fast"},
               "spec": {"receiveInterval": 50, "transmitInterval": 50}}
    herald = resources({"asn": 65000}, profile, peer("bird", 65002),
                       peer("frr", 65001, gracefulRestart={"mode": "full"}, bfdProfile="fast"))
    fast = "bfd\n profile fast\n  receive-interval 50\n  transmit-interval 50\n exit\nexit\n"
    watched = [f"neighbor {HERALD} bfd profile fast", *([f"neighbor {HERALD} bfd check-control-plane-failure"] * apart)]
    lines = fast + before_neighbours(*KEEPS)
    feeder = changed(frr(65001, 65000, PLAIN, *watched, global_lines=lines), "bgpd=yes", "bgpd=yes\nbfdd=yes")
    with running(tmp_path, herald, feeder, bird(65002, 65000, {})) as lab:
        node = lab.node("herald")

        def settled() -> bool:
            session = herald_peers(node)["frr"]["bfd"]
            assert session["state"] == "Up" and session["uptimeMsec"] > 2500, session
            assert session["remote"]["controlPlaneIndependent"] is apart, session
            return up(lab) and "198.51.100.0/24" in kernel_routes(node, 4)

        poll(settled, 40)
        before = herald_peers(node)["frr"]["establishedCount"]
        with harness.watched_routes(node) as changes:
            lab.node("frr").kill("bfdd", signal.SIGSTOP)
            try:
                # BFD is not asked for before BGP may begin anew.
                poll(lambda: up(lab) and herald_peers(node)["frr"]["establishedCount"] > before, 20, what="begun anew")
                assert 'reason="Cease/BFD Down"' in node.log("herald-speaker")
                poll(lambda: "198.51.100.0/24" in kernel_routes(node, 4) and stale(lab, "frr") == 0, 20)
                gone = [line for line in changes() if line.startswith("Deleted") and "198.51.100.0/24" in line]
                assert len(gone) == int(apart), gone
            finally:
                lab.node("frr").kill("bfdd", signal.SIGCONT)
