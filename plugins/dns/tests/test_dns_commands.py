"""`hatsize zones`."""

import json
import threading
from contextlib import contextmanager
from socketserver import StreamRequestHandler, ThreadingTCPServer
from time import time
from types import SimpleNamespace

import dns.resolver
import pytest
from click.testing import CliRunner

from hatsize.hooks.storage import StorageError
from hatsize.testing.server import free_port
from hatsize_dns.challenges import Challenge
from hatsize_dns.commands import zones
from hatsize_dns.names import absolute
from hatsize_dns.settings import Settings

ZONE = {"name": "net.example.com", "nodes": "all"}


def stored():
    """What the plugin keeps: a challenge."""
    challenge = Challenge("zones", "_acme-challenge.desk.net.example.com", "v1", time() + 600)
    return {challenge.key: challenge.packed(), "other": b""}


@contextmanager
def answering(responder, asker):
    """Serves by TCP, one question a connection; gives the place."""

    class Handler(StreamRequestHandler):
        def handle(self):
            wire = self.rfile.read(int.from_bytes(self.rfile.read(2), "big"))
            response = responder.respond(wire, asker, udp=False)
            self.wfile.write(len(response).to_bytes(2, "big") + response)

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield "{}:{}".format(*server.server_address)
        server.shutdown()


@pytest.fixture
def command(zone_of, questions):
    """Runs it against a name server with a zone."""
    ask = questions(zone_of("net.example.com", "web A 192.0.2.80"))

    def run(*arguments, kept=stored, **given):
        with answering(ask.responder, ask.asker) as place:
            settings = Settings(**{"zones": [ZONE], "listen": [place], **given})
            return CliRunner().invoke(zones(settings, kept), arguments)

    return run


def test_zones_and_challenges_are_listed(command):
    lines = command("list").output.splitlines()
    assert lines[0] == "net.example.com  for everybody  nodes all  NOERROR"
    assert lines[1].startswith("_acme-challenge.desk.net.example.com TXT v1  by zones, for 5")


def test_they_are_listed_for_programs(command):
    told = json.loads(command("list", "-o", "json").output)
    assert told["zones"] == [{"zone": "net.example.com", "for": "everybody", "nodes": "all", "state": "NOERROR"}]
    assert told["challenges"][0]["value"] == "v1"


def test_a_storage_that_cannot_be_read_is_told_in_words(command):
    def away():
        raise StorageError("the database is away")

    done = command("list", kept=away)
    assert (done.exit_code, done.output) == (1, "Error: what is published cannot be read: the database is away\n")


def test_a_server_that_is_away_is_said_beside_its_zone(command):
    assert "does not answer" in command("list", listen=[f"127.0.0.1:{free_port()}"]).output


def test_a_name_is_asked_for(command):
    done = command("check", "web.net.example.com")
    assert done.exit_code == 0
    assert done.output.splitlines()[0].endswith("answers NOERROR")
    assert done.output.splitlines()[1] == "web.net.example.com. 300 IN A 192.0.2.80"


def test_a_name_that_is_not_there_says_so(command):
    assert "answers NXDOMAIN" in command("check", "none.net.example.com", "TXT").output


@pytest.mark.parametrize(("arguments", "words"), [(["a..b"], "is not a domain name"), (["web", "NOSUCH"], "NOSUCH")])
def test_what_cannot_be_asked_for_is_refused_in_words(command, arguments, words):
    done = command("check", *arguments)
    assert done.exit_code == 1
    assert words in done.output


class Resolved:
    """What the world says of a zone's servers."""

    def __init__(self, *servers):
        self.servers = [SimpleNamespace(target=absolute(server)) for server in servers]

    def __call__(self, name, rdtype, lifetime):
        if not self.servers:
            raise dns.resolver.NXDOMAIN(qnames=[name], responses={})
        return self.servers


@pytest.mark.parametrize(
    ("servers", "words"),
    [
        (["NS1.example.org"], "net.example.com. is delegated to ns1.example.org.\n"),
        (["a.example.org"], "is delegated to a.example.org.; ns1.example.org. is missing"),
        ([], "net.example.com. is not delegated: The DNS query name does not exist"),
    ],
)
def test_whether_the_world_knows_the_zone_is_told_too(command, monkeypatch, servers, words):
    monkeypatch.setattr("dns.resolver.resolve", Resolved(*servers))
    told = command("check", "web.net.example.com", "--delegation", nameservers=["ns1.example.org"])
    assert words in told.output
    assert "is in none of the zones" in command("check", "web.example.org", "--delegation").output


def test_without_zones_it_says_what_to_set(command):
    done = command("check", "web.net.example.com", zones=[])
    assert "no zone is served: set plugins.dns.zones" in done.output
