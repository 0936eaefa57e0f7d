# SPDX-License-Identifier: Apache-2.0
"""How fast ARP requests are answered: by the kernel, by the least program that can do it, by Herald, and by farpd.

A packet socket on one end of a veth pair asks with 1, 64 or 512 requests under way; three runs of each."""

import argparse
import json
import shutil
import statistics

from tests.bench import rig as rigs

WINDOWS = {1: 50_000, 64: 200_000, 512: 200_000}  # requests under way -> requests
KERNEL, HERALD, OTHERS = "10.9.0.2", "10.9.200.1", "10.9.128.0/17"
MEDIAN_GOAL = 1.5  # Herald's share of the least program's time, at most


def blast(asker: str, target: str, window: int, count: int) -> dict:
    arguments = ["nsenter", f"--net=/run/netns/{asker}", "--", rigs.program("arp_blast"), "v0", "10.9.0.1", target]
    return json.loads(rigs.run([*arguments, "--window", window, "--count", count]))


def herald(here: rigs.Rig, namespace: str) -> rigs.Process:
    def document(api: str, kind: str, name: str, **fields: object) -> dict:
        return {"apiVersion": api, "kind": kind, "metadata": {"name": name}, **fields}

    slice_fields = {
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.9.0.2"], "nodeName": "dut", "conditions": {"ready": True}}],
    }
    endpoint_slice = document("discovery.k8s.io/v1", "EndpointSlice", "one", **slice_fields)
    endpoint_slice["metadata"]["labels"] = {"kubernetes.io/service-name": "one"}
    documents = [
        document("herald.dev/v1", "IPAddressPool", "bench", spec={"addresses": [OTHERS]}),
        document("herald.dev/v1", "L2Advertisement", "bench", spec={"ipAddressPools": ["bench"]}),
        document("v1", "Node", "dut"),
        document(
            "v1",
            "Service",
            "one",
            spec={"type": "LoadBalancer", "ports": [{"port": 80}]},
            status={"loadBalancer": {"ingress": [{"ip": HERALD}]}},
        ),
        endpoint_slice,
    ]
    file = here.folder / "resources.yaml"
    file.write_text("\n---\n".join(map(json.dumps, documents)))
    arguments = [rigs.program("herald-speaker"), "--node", "dut", "--resources", file]
    return here.spawn(namespace, "herald", [*arguments, "--control", f"unix:{here.folder}/dut.sock"])


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench arp", description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    options = parser.parse_args()
    results: dict[str, dict[int, list[dict]]] = {}
    with rigs.rig() as here:
        asker, answerer = here.namespace("asker"), here.namespace("answerer")
        here.ip(asker, [f"link add v0 type veth peer name v1 netns {answerer}", "addr add 10.9.0.1/16 dev v0"])
        here.ip(answerer, ["addr add 10.9.0.2/16 dev v1", "link set v1 up"])
        here.ip(asker, ["link set v0 up"])

        def suite(name: str, target: str, windows: dict[int, int]) -> None:
            rigs.wait(f"{name} answers", lambda: blast(asker, target, 1, 1)["replies"] == 1, 60, 0.2)
            results[name] = {
                window: [blast(asker, target, window, count) for _ in range(options.runs)]
                for window, count in windows.items()
            }
            rigs.progress(f"{name} done")

        def with_process(name: str, process: rigs.Process, windows: dict[int, int]) -> None:
            try:
                suite(name, HERALD, windows)
            finally:
                process.stop()

        suite("kernel", KERNEL, WINDOWS)
        least = here.spawn(answerer, "arp_reply", [rigs.program("arp_reply"), "v1", OTHERS])
        with_process("least program", least, WINDOWS)
        with_process("herald", herald(here, answerer), WINDOWS)
        if shutil.which("farpd", path="/usr/sbin:/usr/bin"):
            # It tries an address for seconds before it answers for it, and is slow after that.
            farpd = here.spawn(answerer, "farpd", ["/usr/sbin/farpd", "-d", "-i", "v1", OTHERS])
            with_process("farpd", farpd, {1: 500, 64: 20_000})
    report(options, results)


def report(options: argparse.Namespace, results: dict[str, dict[int, list[dict]]]) -> None:
    if options.json:
        print(json.dumps({name: {str(w): runs for w, runs in by.items()} for name, by in results.items()}))
        return
    print(f"\nARP, {options.runs} runs; median (min–max)\n")
    rows = []
    for name, by_window in results.items():
        for window, runs in by_window.items():
            lost = sum(run["requests"] - run["replies"] for run in runs)
            per_second = rigs.spread([run["per_second"] / 1000 for run in runs], 0)
            medians = rigs.spread([run["p50_us"] for run in runs], 1)
            rows.append([name, window, per_second, medians, rigs.spread([run["p99_us"] for run in runs], 1), lost])
    print(rigs.table(["answered by", "under way", "1000 answers/s", "p50 µs", "p99 µs", "without answer"], rows))
    median = {name: statistics.median(run["p50_us"] for run in results[name][1]) for name in ("herald", "least program")}
    ratio = median["herald"] / median["least program"]
    print(f"\nherald / least program, one request at a time: {ratio:.2f} ({rigs.verdict(ratio, MEDIAN_GOAL)}, {MEDIAN_GOAL})")


if __name__ == "__main__":
    rigs.main(main)
