"""Challenges published on real name servers by updates signed with a key: BIND and Knot."""

import os
import shutil
import socket
import subprocess

import anyio
import pytest

from hatsize.hooks.dns import PublishError
from hatsize.testing.server import free_port
from hatsize_dns.addresses import Place
from hatsize_dns.seen import has
from hatsize_dns.settings_publishing import UpdateSettings
from hatsize_dns.updates import Updates

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

ZONE = "net.example.com"
NAME = f"_acme-challenge.desk.{ZONE}"
SECRET = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
ZONE_FILE = "$TTL 60\n@ SOA ns hostmaster 1 3600 600 604800 60\n@ NS ns\nns A 127.0.0.1\n"
NAMED = """
options {{
  directory "{folder}"; pid-file "{folder}/named.pid"; session-keyfile "{folder}/session.key";
  listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  recursion no; dnssec-validation no;
}};
controls {{ }};
key "hatsize" {{ algorithm hmac-sha256; secret "{secret}"; }};
zone "{zone}" {{ type primary; file "zone"; update-policy {{ grant hatsize subdomain {zone} TXT; }}; }};
"""
KNOT = """
server:
  rundir: "{folder}"
  listen: 127.0.0.1@{port}
database:
  storage: "{folder}"
key:
  - id: hatsize
    algorithm: hmac-sha256
    secret: "{secret}"
acl:
  - id: updates
    key: hatsize
    action: update
zone:
  - domain: {zone}
    storage: "{folder}"
    file: "zone"
    acl: updates
"""
SERVERS = {"named": (NAMED, ["-g", "-n", "1", "-c"]), "knotd": (KNOT, ["-c"])}


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(params=SERVERS)
def port(request, tmp_path):
    """The port of a primary name server of the zone, of either make."""
    program = shutil.which(request.param)
    if program is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{request.param} is not installed")
    text, flags = SERVERS[request.param]
    config, port = tmp_path / "server.conf", free_port()
    (tmp_path / "zone").write_text(ZONE_FILE)
    config.write_text(text.format(folder=tmp_path, port=port, secret=SECRET, zone=ZONE))
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen([program, *flags, config], stdout=log, stderr=log) as process,
    ):
        try:
            for _ in range(200):
                if answers(port):
                    break
                assert process.poll() is None, (tmp_path / "log").read_text()
                anyio.run(anyio.sleep, 0.05)
            yield port
        finally:
            process.kill()


@pytest.fixture
def updates(port):
    def make(**given):
        settings = {"zone": ZONE, "server": f"127.0.0.1:{port}", "key": "hatsize", "secret": SECRET, **given}
        return Updates(UpdateSettings(**settings))

    return make


async def test_a_record_is_there_when_it_was_published_and_gone_when_it_was_taken_away(updates, port):
    place, backend = Place("127.0.0.1", port), updates()
    await backend.add(NAME, "one")
    await backend.add(NAME, "two")
    assert [await has(place, NAME, value) for value in ("one", "two")] == [True, True]
    await backend.remove(NAME, "one")
    assert [await has(place, NAME, value) for value in ("one", "two")] == [False, True]
    await backend.remove(NAME, "never there")


async def test_many_at_once_are_all_published(updates, port):
    backend = updates()
    async with anyio.create_task_group() as tasks:
        for number in range(8):
            tasks.start_soon(backend.add, NAME, f"v{number}")
    assert all([await has(Place("127.0.0.1", port), NAME, f"v{number}") for number in range(8)])


async def test_a_wrong_key_is_said(updates):
    with pytest.raises(PublishError, match=r"the name server 127.0.0.1:\d+ does not .*(key hatsize|BADSIG|NOTAUTH)"):
        await updates(secret="c29tZXRoaW5nIGVsc2U=").add(NAME, "one")


async def test_a_zone_it_does_not_have_is_said(updates):
    with pytest.raises(PublishError, match=r"it says NOTAUTH|requires a TSIG"):
        await updates(zone="other.example").add("_acme-challenge.desk.other.example", "one")


async def test_a_secondary_that_does_not_show_it_is_named(updates, monkeypatch):
    monkeypatch.setattr("hatsize_dns.seen.PATIENCE", 0.3)
    secondary = f"127.0.0.1:{free_port()}"
    with pytest.raises(PublishError, match=f"the name server {secondary} does not show it"):
        await updates(watched=[secondary]).add(NAME, "one")


async def test_a_server_that_is_away_is_said():
    settings = {"zone": ZONE, "server": f"127.0.0.1:{free_port()}", "key": "hatsize", "secret": SECRET}
    with pytest.raises(PublishError, match="is not reached: Connection refused"):
        await Updates(UpdateSettings(**settings)).add(NAME, "one")
