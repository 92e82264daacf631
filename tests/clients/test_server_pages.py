"""What the server shows to people, to load balancers and to relays elsewhere."""

import json
import plistlib
import urllib.request

import pytest

from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.laboratory import Lab

NOBODY = "nodekey:" + "ab" * 32


def page(lab: Lab, path: str) -> str:
    status, text = lab.server.get(path)
    assert status == 200, text
    return text


def test_health_and_version_are_told(lab: Lab) -> None:
    assert json.loads(page(lab, "/health")) == {"status": "pass"}
    assert json.loads(page(lab, "/version"))["version"]


def test_robots_are_sent_away(lab: Lab) -> None:
    assert "Disallow: /" in page(lab, "/robots.txt")


@pytest.mark.parametrize("path", ["/apple", "/windows"])
def test_set_up_pages_name_the_server(lab: Lab, path: str) -> None:
    assert lab.server.url in page(lab, path)


@pytest.mark.parametrize("client", ["macos-app-store", "macos-standalone"])
def test_profiles_lead_apples_clients_to_the_server(lab: Lab, client: str) -> None:
    (payload,) = plistlib.loads(page(lab, f"/apple/{client}").encode())["PayloadContent"]
    assert lab.server.url in json.dumps(payload, default=str)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_a_relay_elsewhere_is_told_whom_it_may_serve(lab: Lab, version: str) -> None:
    client = lab.client(f"client-{version.replace('.', '-')}", version)
    lab.join(client)
    key = client.status()["Self"]["PublicKey"]
    assert lab.server.hub.call(_may_be_served, lab.server.url, key)
    assert not lab.server.hub.call(_may_be_served, lab.server.url, NOBODY)
    lab.server.delete(client.name)
    assert not lab.server.hub.call(_may_be_served, lab.server.url, key)


def test_a_page_that_is_not_there_is_told_as_such(lab: Lab) -> None:
    assert lab.server.get("/nowhere")[0] == 404


def _may_be_served(url: str, key: str) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    asked = json.dumps({"NodePublic": key, "Source": "10.99.0.50"}).encode()
    with direct.open(urllib.request.Request(f"{url}/verify", asked, method="POST"), timeout=5) as answer:
        allowed: bool = json.load(answer)["Allow"]
        return allowed
