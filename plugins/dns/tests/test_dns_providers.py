"""Challenges published through a provider's own interface: dns-lexicon's for PowerDNS, against its HTTP interface."""

import json
import sys
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec

import anyio
import pytest

from hatsize.hooks.dns import PublishError
from hatsize_dns.providers import Provider
from hatsize_dns.settings_publishing import ProviderSettings

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.skipif(not find_spec("lexicon"), reason="needs dns-lexicon, the extra hatsize-dns[providers]"),
]
ZONE = "net.example.com"
NAME = f"_acme-challenge.desk.{ZONE}"
KEY = "sesame"


class PowerDNS(BaseHTTPRequestHandler):
    """The part of PowerDNS's HTTP interface that reads a zone and replaces record sets."""

    def do_GET(self):
        self._answer({"kind": "Native", "rrsets": list(self.server.rrsets.values())})

    def do_PATCH(self):
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        for rrset in told["rrsets"]:
            self.server.rrsets[rrset["name"], rrset["type"]] = rrset
        self._answer({})

    def _answer(self, body):
        known = self.path == f"/api/v1/servers/localhost/zones/{ZONE}."
        status = 401 if self.headers["X-API-Key"] != KEY else 200 if known else 404
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_args):
        pass


@pytest.fixture
def powerdns(monkeypatch):
    """An HTTP interface of PowerDNS; dns-lexicon takes public suffixes from its own copy."""
    import lexicon.client

    extract = partial(lexicon.client.tldextract.TLDExtract, suffix_list_urls=())
    monkeypatch.setattr(lexicon.client.tldextract, "TLDExtract", extract)
    with ThreadingHTTPServer(("127.0.0.1", 0), PowerDNS) as server:
        server.rrsets = {}
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
    for name in [name for name in sys.modules if name.partition(".")[0] == "lexicon"]:
        del sys.modules[name]  # it warns whoever looks at its modules, as Hypothesis does


@pytest.fixture
def provider(powerdns, tmp_path, monkeypatch):
    monkeypatch.setenv("TLDEXTRACT_CACHE_PATH", str(tmp_path))

    def make(key=KEY):
        url = "http://{}:{}".format(*powerdns.server_address)
        options = {"pdns_server": url, "auth_token": key}
        return Provider(ProviderSettings(zone=ZONE, provider="powerdns", options=options, wait=0))

    return make


def values(powerdns):
    rrset = powerdns.rrsets.get((NAME + ".", "TXT"), {"records": []})
    return sorted(record["content"] for record in rrset["records"])


async def test_challenges_are_published_side_by_side_and_taken_away_one_by_one(provider, powerdns):
    backend = provider()
    async with anyio.create_task_group() as tasks:
        for value in ("one", "two", "three"):
            tasks.start_soon(backend.add, NAME, value)
    assert values(powerdns) == ['"one"', '"three"', '"two"']
    await backend.remove(NAME, "two")
    assert values(powerdns) == ['"one"', '"three"']


async def test_what_the_provider_has_against_it_is_logged_and_not_told(provider, caplog):
    with pytest.raises(PublishError, match="the DNS provider powerdns did not do it; the server's log says why"):
        await provider("wrong").add(NAME, "one")
    assert "401" in caplog.text


async def test_a_provider_that_is_slow_is_not_waited_for(provider, powerdns, monkeypatch):
    monkeypatch.setattr("hatsize_dns.providers.TIMEOUT", 0.1)
    monkeypatch.setattr("hatsize_dns.providers._with_lexicon", lambda *_: threading.Event().wait(1))
    with pytest.raises(PublishError, match=r"did not answer within 0\.1 seconds"):
        await provider().add(NAME, "one")
