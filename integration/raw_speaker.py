# SPDX-License-Identifier: Apache-2.0
"""A BGP speaker that is a script and says anything, at the place of BIRD in between.py: for what no daemon sends.

It is of AS 65003, at an address of the range RANGE, and dials Herald. Each line of its input is a message: the type and
the body in hex digits. It prints code and subcode of the NOTIFICATION that it gets, and the data in hex digits; brought
to "Deaf" it is established, reads nothing from then on, and has a hold time of 90 s; others have none."""

import select
import subprocess

from integration.harness import PATIENCE
from tools.lab import Lab

RANGE = "10.0.2.16/28"
OPEN, UPDATE, KEEPALIVE = 1, 2, 4

SCRIPT = '''
import socket, struct, sys, threading
address, state = sys.argv[1:]
def message(kind, body=b""):
    return b"\\xff" * 16 + struct.pack("!HB", 19 + len(body), kind) + body
def read():
    size, kind = struct.unpack("!HB", stream.read(19)[16:])
    return kind, stream.read(size - 19)
session = socket.create_connection(("10.0.2.254", 179), 10, (address, 0))
session.settimeout(None)
stream = session.makefile("rb")
if state != "OpenSent":
    hold_time = 90 if state == "Deaf" else 0
    four_octets = struct.pack("!BBBBI", 2, 6, 65, 4, 65003)
    session.sendall(message(1, struct.pack("!BHH4sB", 4, 65003, hold_time, socket.inet_aton(address), 8) + four_octets))
while read()[0] != 1: pass
if state in ("Established", "Deaf"):
    session.sendall(message(4))
    while read()[0] != 4: pass
def listen():
    kind = 0
    while kind != 3:
        kind, body = read()
    print(body[0], body[1], body[2:].hex(), flush=True)
if state != "Deaf":
    threading.Thread(target=listen, daemon=True).start()
for line in sys.stdin:
    kind, _, body = line.partition(" ")
    session.sendall(message(int(kind), bytes.fromhex(body)))
'''


def speaker(lab: Lab, number: int, state: str = "Established") -> subprocess.Popen[str]:
    """One at 10.0.2.NUMBER that has brought Herald to a state and no further."""
    node = lab.node("bird")
    node.run(f"ip addr add 10.0.2.{number}/24 dev eth1")
    return node.popen(["python3", "-c", SCRIPT, f"10.0.2.{number}", state], stdin=-1, stdout=-1, text=True)


def say(session: subprocess.Popen[str], kind: int, body: str = "") -> None:
    assert session.stdin
    session.stdin.write(f"{kind} {body.replace(' ', '')}\n")
    session.stdin.flush()


def answer(session: subprocess.Popen[str]) -> str:
    """The NOTIFICATION, once it is there."""
    assert session.stdout
    assert select.select([session.stdout], [], [], 30 * PATIENCE)[0], "no NOTIFICATION"
    return session.stdout.readline().strip()
