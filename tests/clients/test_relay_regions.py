"""Relays elsewhere, by a DERP map in a file: a region that fails, and maps that change while clients are connected."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.clients.lab import nat
from tests.clients.lab.binaries import CLIENT_VERSIONS, NEWEST, OLDEST
from tests.clients.lab.client import Client
from tests.clients.lab.laboratory import Lab, laboratory
from tests.clients.lab.relays import OurRelay, region, write_map
from tests.clients.lab.server import Hatsize

NORTH, SOUTH, EAST = 901, 902, 903
MOVE_DEADLINE = 90.0  # a client finds by its next measurement, after up to half a minute, that its home is gone
CHANGE_DEADLINE = 10.0


class Relayless(Hatsize):
    """A server without a relay of its own, whose map is a file that is read every second."""

    def prepare(self) -> None:
        self.map = self.hub.directory / "map.json"
        write_map(self.map)

    def environment(self) -> Mapping[str, str]:
        own = {"HATSIZE_DERP_ENABLED": "false", "HATSIZE_DERP_PATHS": str(self.map)}
        return {**super().environment(), **own, "HATSIZE_DERP_UPDATE_FREQUENCY": "1s"}


class Regions(Lab):
    """Two regions with a relay each, and clients that have nothing but relays."""

    server: Relayless

    def build(self) -> None:
        self.relays = {number: OurRelay(self.network.machine(f"relay-{number}")) for number in (NORTH, SOUTH)}
        for relay in self.relays.values():
            relay.start()
        write_map(self.server.map, *(region(number, relay) for number, relay in self.relays.items()))
        walled = []
        for version in CLIENT_VERSIONS:
            machine = self.network.machine(f"walled-{version.replace('.', '-')}")
            nat.block_udp(machine)
            walled.append(self.client_on(machine, version))
        self.join(*walled)


@pytest.fixture(scope="module")
def lab(programs: None) -> Iterator[Regions]:
    with laboratory(Relayless) as fresh:
        regions = Regions(fresh.network, fresh.server)
        regions.build()
        yield regions


def home(client: Client) -> str:
    """The code of the region that a client calls its home."""
    return str(client.status()["Self"]["Relay"])


def known(client: Client) -> Mapping[str, Any]:
    """The regions a client knows, by number."""
    regions: Mapping[str, Any] = json.loads(client.tailscale("debug", "derp-map"))["Regions"]
    return regions


def test_clients_are_at_home_in_a_region_and_meet_there(lab: Regions) -> None:
    for source in lab.clients:
        source.eventually(lambda source=source: home(source).startswith("lab-"), "a home", within=MOVE_DEADLINE)
        for target in lab.clients:
            if target is not source:
                source.reach(target.name, within=MOVE_DEADLINE)
                assert source.path_to(target.name).startswith("DERP(lab-")


def test_when_a_region_fails_clients_move_to_the_other_and_go_on(lab: Regions) -> None:
    first = lab.clients[0]
    lost = int(home(first).removeprefix("lab-"))
    left = SOUTH if lost == NORTH else NORTH
    lab.relays[lost].fail()
    for client in lab.clients:
        client.eventually(
            lambda client=client: home(client) == f"lab-{left}", f"{client.name} moves", within=MOVE_DEADLINE
        )
    for target in lab.clients[1:]:
        first.reach(target.name, within=MOVE_DEADLINE)
        assert first.path_to(target.name) == f"DERP(lab-{left})"
    lab.relays[lost].recover()


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_a_changed_file_reaches_clients_that_are_connected(lab: Regions, version: str) -> None:
    client = next(client for client in lab.clients if client.version == version)
    regions = [region(number, relay) for number, relay in lab.relays.items()]
    write_map(lab.server.map, *regions, region(EAST, lab.relays[SOUTH]))
    client.eventually(lambda: str(EAST) in known(client), "the new region", within=CHANGE_DEADLINE)
    write_map(lab.server.map, *regions)
    client.eventually(lambda: str(EAST) not in known(client), "the region is gone", within=CHANGE_DEADLINE)


def test_the_policys_own_map_reaches_clients_that_are_connected(lab: Regions) -> None:
    path = lab.server.hub.directory / "policy.json"
    rules = {"acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}]}
    path.write_text(json.dumps({**rules, "derpMap": {"Regions": {str(EAST): region(EAST, lab.relays[SOUTH])}}}))
    lab.server.cli("policy", "set", "--file", str(path))
    for client in lab.clients:
        client.eventually(lambda client=client: str(EAST) in known(client), "the region", within=CHANGE_DEADLINE)
    path.write_text(json.dumps({**rules, "derpMap": {"Regions": {str(NORTH): None}}}))
    lab.server.cli("policy", "set", "--file", str(path))
    for client in lab.clients:
        client.eventually(lambda client=client: set(known(client)) == {str(SOUTH)}, "one", within=CHANGE_DEADLINE)


def test_the_status_of_the_map_is_told(lab: Regions) -> None:
    found = lab.server.hub.run(*lab.server.cli_argv(), "derp", "status", "-o", "json", env=lab.server.environment())
    assert {(each["regionId"], each["healthy"]) for each in json.loads(found)} == {(SOUTH, True)}
