"""The settings of the server's own relay, and DERP maps fetched from a URL, as clients see them."""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import Client
from tests.clients.lab.daemon import Daemon
from tests.clients.lab.laboratory import Lab, laboratory
from tests.clients.lab.relays import write_map
from tests.clients.lab.server import Hatsize
from tests.clients.lab.waiting import eventually

OWN, ELSEWHERE, NEW = 777, 801, 802
MAP_PORT = 8090
CHANGE_DEADLINE = 10.0
Clients = dict[str, Client]
both_versions = pytest.mark.parametrize("version", [OLDEST, NEWEST])


class Configured(Hatsize):
    """A server whose relay has a region of its own choice, beside those that a web server tells."""

    def prepare(self) -> None:
        folder = self.hub.directory / "maps"
        folder.mkdir()
        self.map = folder / "map.json"
        write_map(self.map, elsewhere(ELSEWHERE))
        argv = [sys.executable, "-m", "http.server", "-b", self.hub.address, "-d", str(folder), str(MAP_PORT)]
        web = Daemon(self.hub, *argv, log=self.hub.directory / "web.log")
        eventually(
            lambda: web.is_running() and f":{MAP_PORT} " in self.hub.run("ss", "-Hltn"), "the map is served", within=20
        )

    def environment(self) -> Mapping[str, str]:
        return {
            **super().environment(),
            "HATSIZE_DERP_REGION_ID": str(OWN),
            "HATSIZE_DERP_REGION_CODE": "cellar",
            "HATSIZE_DERP_REGION_NAME": "Our cellar",
            "HATSIZE_DERP_URLS": f"http://{self.hub.address}:{MAP_PORT}/map.json",
            "HATSIZE_DERP_UPDATE_FREQUENCY": "1s",
        }


def elsewhere(number: int) -> dict[str, Any]:
    """A region of a relay that nobody runs."""
    node = {"Name": f"{number}a", "RegionID": number, "HostName": f"derp{number}.example.net", "IPv4": "192.0.2.9"}
    return {"RegionID": number, "RegionCode": f"far-{number}", "RegionName": f"Far {number}", "Nodes": [node]}


@pytest.fixture(scope="module")
def lab(programs: None) -> Iterator[Lab]:
    with laboratory(Configured) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def clients(lab: Lab) -> Clients:
    """A client of each version, by version."""
    clients = {version: lab.client(f"client-{version.replace('.', '-')}", version) for version in (OLDEST, NEWEST)}
    lab.join(*clients.values())
    return clients


def known(client: Client) -> Mapping[str, Any]:
    """The regions a client knows, by number."""
    regions: Mapping[str, Any] = json.loads(client.tailscale("debug", "derp-map"))["Regions"]
    return regions


@both_versions
def test_the_own_relay_has_the_region_that_the_settings_name(clients: Clients, version: str) -> None:
    client = clients[version]
    region = known(client)[str(OWN)]
    assert (region["RegionCode"], region["RegionName"]) == ("cellar", "Our cellar")
    client.eventually(lambda: client.status()["Self"]["Relay"] == "cellar", "it is at home there", within=30)


def test_regions_of_a_url_are_known_and_followed(lab: Lab, clients: Clients) -> None:
    assert isinstance(lab.server, Configured)
    for client in clients.values():
        assert set(known(client)) == {str(OWN), str(ELSEWHERE)}
    write_map(lab.server.map, elsewhere(NEW))
    for client in clients.values():
        client.eventually(
            lambda c=client: set(known(c)) == {str(OWN), str(NEW)}, "the other region", within=CHANGE_DEADLINE
        )
