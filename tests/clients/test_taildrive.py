"""Taildrive: a folder that one machine shares is another one's, by WebDAV, as far as the policy's grant goes."""

import urllib.error
import urllib.request

import pytest

from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import Client
from tests.clients.lab.laboratory import Lab
from tests.clients.lab.namespaces import Namespace

DRIVES = "http://100.100.100.100:8080"
TAKES_UP_TO = 20.0
ANSWERS_WITHIN = 10.0
Clients = dict[str, Client]
both_versions = pytest.mark.parametrize("version", [OLDEST, NEWEST])


@pytest.fixture(scope="module")
def clients(lab: Lab) -> Clients:
    """By version, one that shares `docs`; `reader` is of the other version."""
    allow(lab, "rw")
    clients = {version: lab.client(f"drive-{version.replace('.', '-')}", version) for version in (OLDEST, NEWEST)}
    lab.join(*clients.values())
    for client in clients.values():
        folder = client.machine.directory / "docs"
        folder.mkdir()
        (folder / "read.me").write_text(f"on {client.name}")
        client.tailscale("drive", "share", "docs", str(folder))
    return clients


def allow(lab: Lab, access: str) -> None:
    """Let everybody's machines share and use folders in one way, or in none."""
    drive = {"tailscale.com/cap/drive": [{"shares": ["*"], "access": access}]}
    grant = {"src": ["autogroup:member"], "dst": ["autogroup:member"], "app": drive}
    everyone = {"src": ["*"], "dst": ["*"], "ip": ["*"]}
    attrs = {"target": ["autogroup:member"], "attr": ["drive:share", "drive:access"]}
    lab.server.set_policy({"grants": [everyone, *([grant] if access else [])], "nodeAttrs": [attrs]})


def asked(machine: Namespace, method: str, path: str, body: bytes | None = None) -> tuple[int, str]:
    """Status and body of a request to the drives of this machine's client; status 0 when nobody answers."""
    return machine.call(_ask, method, f"{DRIVES}/{path}", body)


def _ask(method: str, url: str, body: bytes | None) -> tuple[int, str]:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        request = urllib.request.Request(url, body, {"Depth": "1"}, method=method)
        with direct.open(request, timeout=ANSWERS_WITHIN) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read().decode()
    except OSError:
        return 0, ""


def pair(clients: Clients, version: str) -> tuple[Client, Client, str]:
    """One that shares, one that uses it, and the share's path there."""
    sharer, user = clients[version], clients[OLDEST if version == NEWEST else NEWEST]
    return sharer, user, f"tailnet.internal/{sharer.name}/docs"


@both_versions
def test_a_shared_folder_is_read_by_webdav(clients: Clients, version: str) -> None:
    sharer, user, share = pair(clients, version)
    user.eventually(
        lambda: asked(user.machine, "GET", f"{share}/read.me") == (200, f"on {sharer.name}"),
        "the file is read",
        within=TAKES_UP_TO,
    )
    status, listed = asked(user.machine, "PROPFIND", f"{share}/")
    assert status == 207
    assert "read.me" in listed


@both_versions
def test_a_shared_folder_is_written_to_where_the_grant_says_so(lab: Lab, clients: Clients, version: str) -> None:
    sharer, user, share = pair(clients, version)
    user.eventually(
        lambda: asked(user.machine, "PUT", f"{share}/new.txt", b"written")[0] in (200, 201, 204),
        "the file is written",
        within=TAKES_UP_TO,
    )
    assert (sharer.machine.directory / "docs" / "new.txt").read_text() == "written"


@both_versions
def test_with_a_grant_to_read_nothing_is_written_and_without_one_nothing_is_read(
    lab: Lab, clients: Clients, version: str
) -> None:
    _, user, share = pair(clients, version)
    allow(lab, "ro")
    user.eventually(
        lambda: asked(user.machine, "PUT", f"{share}/refused.txt", b"x")[0] == 403, "no writing", within=TAKES_UP_TO
    )
    assert asked(user.machine, "GET", f"{share}/read.me")[0] == 200
    allow(lab, "")
    user.eventually(lambda: asked(user.machine, "GET", f"{share}/read.me")[0] != 200, "no reading", within=TAKES_UP_TO)
    allow(lab, "rw")
