"""Challenges published on real name servers by updates signed with a key: BIND, Knot, PowerDNS."""

import anyio
import pytest

from hatsize.hooks.dns import PublishError
from hatsize.testing.server import free_port
from hatsize_dns.addresses import Place
from hatsize_dns.seen import has
from hatsize_dns.settings_publishing import UpdateSettings
from hatsize_dns.updates import Updates
from tests.clients.lab.name_servers import SECRET, SERVERS, ZONE, running

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

NAME = f"_acme-challenge.desk.{ZONE}"


@pytest.fixture(params=SERVERS)
def port(request, tmp_path):
    """The port of a primary name server of the zone, of each make."""
    with running(request.param, tmp_path) as server:
        yield server.port


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
    with pytest.raises(PublishError, match=r"the name server 127.0.0.1:\d+ .*key hatsize"):
        await updates(secret="c29tZXRoaW5nIGVsc2U=").add(NAME, "one")


async def test_a_zone_it_does_not_have_is_said(updates):
    with pytest.raises(PublishError, match=r"it says NOTAUTH|has the zone other.example"):
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
