# SPDX-License-Identifier: Apache-2.0
"""The main job told in short lines with real output, on the lab `demo`: pool to router, LAN, a node's death, why.

  ./dev demo [--keep]     --keep leaves the lab running; `./dev lab down demo` ends it."""

import argparse
import collections
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from tools.lab import Lab, LabError, Node

NODES = ("n1", "n2", "n3")
CLIENT = "172.16.99.0/24"  # the nodes learn it from the ToR
COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def bold(text: str) -> str:
    return f"\x1b[1m{text}\x1b[0m" if COLOUR else text


def say(text: str) -> None:
    print(f"\n{bold(text)}", flush=True)


def show(prompt: str, output: str) -> None:
    print(f"  $ {prompt}")
    for line in output.rstrip().splitlines():
        print(f"    {line}")
    sys.stdout.flush()


def wait(what: str, condition: Callable[[], bool], deadline: float = 30) -> float:
    """Seconds until the condition holds; LabError past the deadline."""
    began = time.monotonic()
    while True:
        try:
            if condition():
                return time.monotonic() - began
        except (LabError, LookupError, ValueError):
            pass
        if time.monotonic() - began > deadline:
            raise LabError(f"after {deadline:.0f} s still not: {what}")
        time.sleep(0.02)


def api(lab: Lab, *words: str) -> str:
    return lab.node("api").run(["heraldctl", "--token-file", "/etc/herald/token", *words]).stdout


def addresses(lab: Lab, service: str) -> list[str]:
    found = json.loads(api(lab, "get", "service", service, "-o", "json"))
    return [entry["ip"] for entry in found["status"]["loadBalancer"]["ingress"]]


def next_hops(tor: Node, prefix: str) -> int:
    routes = json.loads(tor.run(["ip", "-j", "route", "show", prefix]).stdout)
    return len(routes[0].get("nexthops", [None])) if routes else 0


def answers(client: Node, address: str, count: int) -> collections.Counter[str]:
    """Who answered each of `count` requests, every one on a connection of its own."""
    script = f"for i in $(seq {count}); do curl -s -m 2 http://{address}/ || echo nobody; done"
    return collections.Counter(client.run(["sh", "-c", script], timeout=150).stdout.split())


class Probe:
    """Requests one after the other, on new connections; tells for how long they failed."""

    SCRIPT = (
        "import socket,sys,time\n"
        "while True:\n"
        "  t=time.monotonic()\n"
        "  try:\n"
        "    s=socket.create_connection((sys.argv[1],80),0.2); s.settimeout(0.2)\n"
        "    s.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n'); ok=bool(s.recv(1)); s.close()\n"
        "  except OSError: ok=False\n"
        "  print(int(ok),t,time.monotonic(),flush=True); time.sleep(0.01)\n"
    )

    def __init__(self, client: Node, address: str) -> None:
        self.child = client.popen(["python3", "-c", self.SCRIPT, address], stdout=subprocess.PIPE, text=True)

    def finish(self) -> tuple[int, int, float]:
        """Requests, failures, and seconds from the first failure to the first success after the last."""
        self.child.terminate()
        rows = [line.split() for line in self.child.communicate()[0].splitlines()]
        rows = [(ok == "1", float(start), float(end)) for ok, start, end in (row for row in rows if len(row) == 3)]
        failed = [i for i, (ok, _, _) in enumerate(rows) if not ok]
        if not failed:
            return len(rows), 0, 0.0
        after = failed[-1] + 1
        end = rows[after][2] if after < len(rows) else rows[-1][2]
        return len(rows), len(failed), end - rows[failed[0]][1]


def neighbour_mac(client: Node, address: str) -> str:
    found = json.loads(client.run(["ip", "-j", "neigh", "show", address, "dev", "eth2"]).stdout)
    return found[0].get("lladdr", "") if found else ""


def owner(lab: Lab, address: str) -> str:
    mac = neighbour_mac(lab.node("client"), address)
    for name in NODES:
        if lab.node(name).run("cat /sys/class/net/eth2/address").stdout.strip() == mac:
            return name
    raise LookupError(address)


def tell_assignment(lab: Lab) -> None:
    say("1. Two services are created. The controller gives each an IPv4 and an IPv6 address from the pools that allow it.")
    api(lab, "apply", "-f", "/etc/herald/service.yaml")
    took = wait("both services have addresses", lambda: len(addresses(lab, "web")) == 2 and len(addresses(lab, "printer")) == 2)
    show("heraldctl get services", api(lab, "get", "services"))
    print(f"  (seen {took * 1000:.0f} ms after `apply` returned)")


def tell_routes(lab: Lab) -> None:
    tor, client = lab.node("tor"), lab.node("client")
    address = addresses(lab, "web")[0]
    say("2. Three speakers announce the address of `web` to the ToR, a real FRR, each in its one BGP session. The ToR has ECMP.")
    wait("the ToR has three next hops", lambda: next_hops(tor, address) == 3)
    # FRR takes a second to say what it knows after a session has come up; before that, answers would find no way back.
    wait("the nodes know the way to the client", lambda: all(next_hops(lab.node(name), CLIENT) == 1 for name in NODES))
    show(f"tor: ip route show {address}", tor.run(f"ip route show {address}").stdout)
    show(f"n1: ip route show {CLIENT}", lab.node("n1").run(f"ip route show {CLIENT}").stdout)
    show("n1: heraldctl peers", lab.node("n1").run("heraldctl peers").stdout)
    say("3. A client behind the ToR asks sixty times. All three nodes answer.")
    count = answers(client, address, 60)
    show(f"client: curl http://{address}/   (60 times)", "\n".join(f"{name}: {times}" for name, times in sorted(count.items())))


def tell_layer2(lab: Lab) -> None:
    client = lab.node("client")
    say("4. `printer` lives on the LAN. One node answers ARP for it, one answers NDP; the others keep quiet.")
    for address in addresses(lab, "printer"):
        wait(f"{address} is answered", lambda a=address: client.run(["ping", "-c1", "-W1", a]).returncode == 0 and owner(lab, a) != "")
        show(f"client: ip neigh show {address}", f"{client.run(['ip', 'neigh', 'show', address, 'dev', 'eth2']).stdout.strip()}   <- {owner(lab, address)}")


def tell_death(lab: Lab) -> None:
    client, tor = lab.node("client"), lab.node("tor")
    web, printer = addresses(lab, "web")[0], addresses(lab, "printer")[0]
    victim = owner(lab, printer)
    say(f"5. {victim}, which answers for {printer}, loses its speaker and its links at once. The client keeps asking both services.")
    probes = {web: Probe(client, web), printer: Probe(client, printer)}
    time.sleep(0.5)  # some requests before the event, so that there is something to compare with
    lab.node(victim).kill("herald-speaker")
    for interface in ("eth1", "eth2"):
        lab.link_down(victim, interface)
    wait("the ToR has two next hops", lambda: next_hops(tor, web) == 2)
    wait("another node answers on the LAN", lambda: owner(lab, printer) != victim, 30)
    time.sleep(1)
    for address, probe in probes.items():
        requests, failures, outage = probe.finish()
        print(f"  {address:15} {requests} requests, {failures} failed; from the first failure to the last {outage:.2f} s")
    print(f"  {printer} is now answered by {owner(lab, printer)}")
    show(f"tor: ip route show {web}", tor.run(f"ip route show {web}").stdout)


def tell_reasons(lab: Lab) -> None:
    node = lab.node(next(name for name in NODES if lab.node(name).run("heraldctl status", check=False).returncode == 0))
    say("6. And why? For every address and method: announced, or the first gate that stops it.")
    for service in ("web", "printer"):
        show(f"{node.name}: heraldctl explain service {service}", node.run(f"heraldctl explain service {service}").stdout)
    show(f"{node.name}: heraldctl status", node.run("heraldctl status").stdout)


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev demo", description="The main job on real parts, in two minutes.")
    parser.add_argument("--keep", action="store_true", help="leave the lab running")
    keep = parser.parse_args().keep
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    say("Herald: a client, an FRR ToR, three nodes and a controller, in network namespaces on this machine.")
    lab = None
    try:
        lab = Lab.up("demo", bound=not keep, report=lambda subject, text: print(f"  {subject:8} {text}", flush=True))
        for name in NODES:
            wait(f"{name} is established with the ToR", lambda n=name: "Established" in lab.node(n).run("heraldctl peers").stdout)
        for step in (tell_assignment, tell_routes, tell_layer2, tell_death, tell_reasons):
            step(lab)
        say("Done.")
        return 0
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except LabError as error:
        print(f"\nthe demo failed: {error}", file=sys.stderr)
        return 1
    finally:
        if lab is not None and keep:
            print("The lab still runs: ./dev lab exec demo n1 -- heraldctl status; ./dev lab down demo ends it.")
        elif lab is not None:
            lab.down()


if __name__ == "__main__":
    sys.exit(main())
