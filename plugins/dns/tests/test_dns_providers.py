"""Challenges published through a provider's own interface: dns-lexicon's for PowerDNS, against a real one."""

import sys
import threading
from functools import partial
from importlib.util import find_spec

import anyio
import pytest

from hatsize.hooks.dns import PublishError
from hatsize.testing.server import free_port
from hatsize_dns.addresses import Place
from hatsize_dns.providers import Provider
from hatsize_dns.seen import has
from hatsize_dns.settings_publishing import ProviderSettings
from tests.clients.lab.name_servers import API_KEY, ZONE, running

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.skipif(not find_spec("lexicon"), reason="needs dns-lexicon, the extra hatsize-dns[providers]"),
]
NAME = f"_acme-challenge.desk.{ZONE}"


@pytest.fixture
def lexicon(tmp_path, monkeypatch):
    """dns-lexicon, which takes public suffixes from its own copy."""
    import lexicon.client

    monkeypatch.setenv("TLDEXTRACT_CACHE_PATH", str(tmp_path))
    extract = partial(lexicon.client.tldextract.TLDExtract, suffix_list_urls=())
    monkeypatch.setattr(lexicon.client.tldextract, "TLDExtract", extract)
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "lexicon"]:
        del sys.modules[name]  # it warns whoever looks at its modules, as Hypothesis does


@pytest.fixture
def powerdns(tmp_path):
    with running("pdns_server", tmp_path) as server:
        yield server


@pytest.fixture
def provider(lexicon):
    """Makes PowerDNS's HTTP interface at a port a provider."""

    def make(port, key=API_KEY):
        options = {"pdns_server": f"http://127.0.0.1:{port}", "auth_token": key}
        return Provider(ProviderSettings(zone=ZONE, provider="powerdns", options=options, wait=0))

    return make


async def test_challenges_are_published_side_by_side_and_taken_away_one_by_one(provider, powerdns):
    place, backend = Place("127.0.0.1", powerdns.port), provider(powerdns.api_port)
    async with anyio.create_task_group() as tasks:
        for value in ("one", "two", "three"):
            tasks.start_soon(backend.add, NAME, value)
    assert [await has(place, NAME, value) for value in ("one", "two", "three")] == [True, True, True]
    await backend.remove(NAME, "two")
    assert [await has(place, NAME, value) for value in ("one", "two", "three")] == [True, False, True]


async def test_what_the_provider_has_against_it_is_logged_and_not_told(provider, powerdns, caplog):
    with pytest.raises(PublishError, match="the DNS provider powerdns did not do it; the server's log says why"):
        await provider(powerdns.api_port, "wrong").add(NAME, "one")
    assert "401" in caplog.text


async def test_a_provider_that_is_slow_is_not_waited_for(provider, monkeypatch):
    monkeypatch.setattr("hatsize_dns.providers.TIMEOUT", 0.1)
    monkeypatch.setattr("hatsize_dns.providers._with_lexicon", lambda *_: threading.Event().wait(1))
    with pytest.raises(PublishError, match=r"did not answer within 0\.1 seconds"):
        await provider(free_port()).add(NAME, "one")
