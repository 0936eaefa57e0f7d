# SPDX-License-Identifier: Apache-2.0
"""RFC 9687 with a neighbour whose keepalives come and whose window stays shut, for the eight minutes that it takes:
with HERALD_TEST_LONG alone, which ./dev test long sets."""

import os
import time

import pytest

from integration.between import PLAIN, bird, frr, notification, peer, resources, running, sessions, told_to_frr
from integration.harness import established, herald_peers, poll
from integration.raw_speaker import KEEPALIVE, say, speaker

pytestmark = pytest.mark.skipif(not os.environ.get("HERALD_TEST_LONG"), reason="takes eight minutes")

SEND_HOLD_TIME = 480  # seconds: eight minutes, more than twice the hold time
ADDRESS = "10.0.2.17"
# Each with attributes of its own, thus in an UPDATE of its own: more than the two ends of a connection buffer.
ROUTES = {f"100.{64 + number // 256}.{number % 256}.0/24": f"bgp_med = {number};" for number in range(8 * 1024)}


def test_a_neighbour_that_talks_and_takes_nothing_is_given_up_and_harms_nobody(tmp_path) -> None:
    herald = resources({"asn": 65000}, peer("frr", 65001), peer("bird", 65002),
                       peer("deaf", 65003, peerAddress=ADDRESS))
    with running(tmp_path, herald, frr(65001, 65000, PLAIN), bird(65002, 65000, ROUTES)) as lab:
        node = lab.node("herald")
        # What one connection may hold back is little, so that what waits is with Herald.
        node.run("sysctl -qw net.ipv4.tcp_wmem='4096 16384 65536'")
        poll(lambda: established(node, "frr", "bird"), 30)
        poll(lambda: len(told_to_frr(lab)) == len(ROUTES), 60, what="all routes at FRR")
        before = sessions(lab)
        with speaker(lab, 17, "Deaf") as session:
            shut = lambda: "timer:(persist" in node.run(f"ss -tnoH dst {ADDRESS}").stdout  # noqa: E731
            poll(shut, 30, what="a window that is shut")
            began = time.monotonic()

            longest = 0.0

            def given_up() -> bool:
                nonlocal longest
                say(session, KEEPALIVE)
                deaf = herald_peers(node)["deaf"]
                longest = max(longest, deaf.get("blockedMsec", 0) / 1000)
                return deaf["state"] != "Established"

            poll(given_up, SEND_HOLD_TIME + 30, what="the end of the session")
            took = time.monotonic() - began
            assert longest > SEND_HOLD_TIME - 10, "it was said meanwhile for how long nothing was taken"
            session.kill()
        assert took > SEND_HOLD_TIME - 10
        assert notification(lab, "deaf") == "Send Hold Timer Expired"
        assert sessions(lab) == {**before, "deaf": 1}, "no other session was lost"
        assert len(told_to_frr(lab)) == len(ROUTES)
