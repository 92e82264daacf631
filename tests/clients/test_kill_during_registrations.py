"""Kill -9 in the middle of a storm of registrations: whoever was told yes is still there, with the same addresses."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.clients.lab import binaries
from tests.clients.lab.daemon import Daemon
from tests.clients.lab.laboratory import Lab
from tests.clients.lab.namespaces import Namespace
from tests.clients.lab.waiting import eventually

NODES = 2000  # more than can register before the kill
TOLD_BEFORE_KILL = (30, 60, 90)
STORM_DEADLINE = 60.0
Told = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def machine(lab: Lab) -> Namespace:
    return lab.network.machine("storm")


@pytest.mark.parametrize("count", TOLD_BEFORE_KILL)
def test_whoever_was_told_yes_is_still_there_with_its_addresses(lab: Lab, machine: Namespace, count: int) -> None:
    output = machine.directory / f"join-{count}.jsonl"
    join = [
        "join",
        "-url",
        lab.server.url,
        "-key",
        lab.server.auth_key(),
        "-n",
        str(NODES),
        "-prefix",
        f"round{count}-",
    ]
    storm = Daemon(machine, str(binaries.storm()), *join, log=output, env=lab.server.client_environment())
    eventually(
        lambda: len(told(output)) >= count, f"{count} nodes are in", within=STORM_DEADLINE, evidence=lab.evidence
    )
    lab.server.kill()
    storm.wait(STORM_DEADLINE)
    lab.server.start()
    assert lost(lab, machine, output) == ""
    listed = {node["name"]: node["ipAddresses"] for node in lab.server.nodes()}
    for name, node in told(output).items():
        assert name in listed
        if addresses := node.get("addresses"):
            assert [address.split("/")[0] for address in addresses] == listed[name]


def told(output: Path) -> Told:
    """The nodes that heard yes, by name, with the most that each came to hear."""
    lines = [line for line in output.read_text().splitlines() if line.startswith("{") and line.endswith("}")]
    return {node["name"]: node for node in map(json.loads, lines)}


def lost(lab: Lab, machine: Namespace, output: Path) -> str:
    """The nodes that the server does not honour any more, one a line."""
    lines = output.with_suffix(".told")
    lines.write_text("\n".join(json.dumps(node) for node in told(output).values()))
    check = [str(binaries.storm()), "check", "-url", lab.server.url, "-lines", str(lines)]
    return machine.run(*check, deadline=STORM_DEADLINE, env=lab.server.client_environment())
