# SPDX-License-Identifier: Apache-2.0
"""FRR's topics (docs/coverage.md): malformed UPDATEs, from a speaker that can say anything.

Herald between FRR and BIRD as in between.py. AS numbers are the tests' own."""

from integration.between import PLAIN, bird, frr, guests, peer, resources, running, sessions, told_to_frr
from integration.harness import established, herald_best, herald_peers, poll
from integration.raw_speaker import RANGE, UPDATE, answer, say, speaker


ORIGIN, PATH, HOP = "40010100", "4002060201 0000fdeb", "400304 0a000211"
WELL = ORIGIN + PATH + HOP
# What comes of a route with these attributes: it is withdrawn, or the attribute is dropped (RFC 7606 section 7).
WITHDRAWN = {
    "ORIGIN 3": "40010103" + PATH + HOP,
    "ORIGIN of two octets": "4001020000" + PATH + HOP,
    "ORIGIN optional": "c0010100" + PATH + HOP,
    "no ORIGIN": PATH + HOP,
    "AS_PATH segment of type 5": ORIGIN + "4002060501 0000fdeb" + HOP,
    "AS_PATH segment longer than the attribute": ORIGIN + "4002060202 0000fdeb" + HOP,
    "AS_PATH with AS 0": ORIGIN + "40020a0202 0000fdeb 00000000" + HOP,
    "AS_PATH of somebody else": ORIGIN + "4002060201 0000fdec" + HOP,
    "no AS_PATH": ORIGIN + HOP,
    "NEXT_HOP of three octets": ORIGIN + PATH + "400303 0a0002",
    "NEXT_HOP 127.0.0.1": ORIGIN + PATH + "400304 7f000001",
    "no NEXT_HOP": ORIGIN + PATH,
    "MULTI_EXIT_DISC of three octets": WELL + "800403 000001",
    "MULTI_EXIT_DISC transitive": WELL + "c00404 00000001",
    "COMMUNITIES of five octets": WELL + "c00805 fdeb000100",
    "COMMUNITIES of none": WELL + "c00800",
    "EXTENDED COMMUNITIES of seven octets": WELL + "c01007 0002fdeb000000",
    "LARGE_COMMUNITY of eleven octets": WELL + "c0200b 0000fdeb 00000001 000002",
    "IPv6 EXTENDED COMMUNITIES of nineteen octets": WELL + "c01913" + 19 * "00",
    "ONLY_TO_CUSTOMER of three octets": WELL + "c02303 00fdeb",
    "an attribute beyond the end": WELL + "c00808 fdeb0001",
}
DROPPED = {
    "ATOMIC_AGGREGATE of one octet": WELL + "400601 00",
    "AGGREGATOR of six octets": WELL + "c00706 fdeb0a000001",
    "AGGREGATOR of AS 0": WELL + "c00708 00000000 0a000001",
    "LOCAL_PREF of another AS": WELL + "400504 000000ff",
    "ORIGINATOR_ID of another AS": WELL + "800904 0a000001",
    "CLUSTER_LIST of another AS": WELL + "800a04 0a000001",
    "AIGP where it is not enabled": WELL + "801a0b 01000b 0000000000000001",
    "a second ORIGIN": WELL + "40010102",
}
# The whole body, and the code and subcode that it is answered with.
ENDS = {
    "a prefix of 33 bits": ("0000 0014" + WELL + "21 6440000000", "3 10"),
    "attributes beyond the end": ("0000 00ff" + WELL, "3 1"),
    "an unknown well-known attribute": ("0000 0018" + WELL + "40c80100" + "1864 4000", "3 2"),
    "MP_REACH_NLRI twice": ("0000 0036" + WELL + 2 * "800e0e 0001 01 04 0a000211 00 20 64400001" + "1864 4000", "3 1"),
}


def test_malformed_routes_cost_no_session_and_leave_frr_and_what_cannot_be_read_is_answered(tmp_path) -> None:
    herald = resources({"asn": 65000}, peer("frr", 65001), guests("raw", RANGE))
    cases = {f"100.64.{number}.0/24": each for number, each in enumerate([*WITHDRAWN, *DROPPED])}

    def body(prefix: str, attributes: str) -> str:
        octets = bytes.fromhex(attributes)
        return f"0000{len(octets):04x}{octets.hex()}186440{int(prefix.split('.')[2]):02x}"

    with running(tmp_path, herald, frr(65001, 65000, PLAIN), bird(65002, 65000, {})) as lab:
        node = lab.node("herald")
        poll(lambda: established(node, "frr"), 30)
        with speaker(lab, 17) as session:
            for prefix in cases:
                say(session, UPDATE, body(prefix, WELL))
            poll(lambda: told_to_frr(lab).keys() == cases.keys(), what="all routes at FRR")
            before = sessions(lab)["frr"]
            for prefix, name in cases.items():
                say(session, UPDATE, body(prefix, {**WITHDRAWN, **DROPPED}[name]))

            def as_specified() -> bool:
                left = {cases[prefix] for prefix in told_to_frr(lab)}
                assert left == DROPPED.keys(), left ^ DROPPED.keys()
                return True

            poll(as_specified, what="what is left at FRR")
            for prefix, name in cases.items():
                if name not in DROPPED:
                    continue
                shown = herald_best(node)[prefix]
                shown.pop("selectionReason")
                expected = {"prefix": prefix, "nextHops": ["10.0.2.17"], "peers": ["raw/10.0.2.17"], "local": False,
                            "origin": "igp", "asPath": "65003"}
                assert shown == expected, (name, shown)
            raw = herald_peers(node)["raw/10.0.2.17"]
            assert (raw["state"], raw["establishedCount"]) == ("Established", 1), raw
            session.kill()
        for number, (name, (text, code)) in enumerate(ENDS.items(), 18):
            with speaker(lab, number) as session:
                say(session, UPDATE, body("100.64.0.0", WELL))
                say(session, UPDATE, text)
                assert answer(session).split()[:2] == code.split(), name
                session.kill()
        assert sessions(lab)["frr"] == before
