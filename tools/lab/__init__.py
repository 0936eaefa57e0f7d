# SPDX-License-Identifier: Apache-2.0
"""Runs containerlab topology files in network namespaces with local processes; no container engine.

    from tools.lab import Lab

    with Lab.up("demo") as lab:
        lab.node("tor").json("vtysh -c 'show bgp ipv4 unicast json'")
        lab.node("n1").kill("herald-speaker")
        lab.link_down("n2", "eth1")
        lab.node("n1").start("herald-speaker")

Layers, each knowing only those before it: linux, process, document -> topology, reader -> state, sandbox, wiring,
images -> node -> bringup -> lab -> __main__ (the command line)."""

from .errors import LabError, TopologyError
from .lab import Lab, bin_directory, clear_leftovers, down, topology_path
from .node import Node

__all__ = ["Lab", "LabError", "Node", "TopologyError", "bin_directory", "clear_leftovers", "down", "topology_path"]
