"""Zones from text, and questions to them."""

from ipaddress import ip_address

import dns.message
import dns.rcode
import pytest
from dns.rdatatype import from_text

from hatsize.testing.web import plugin_server
from hatsize_dns.asker import Asker
from hatsize_dns.challenges import Challenges
from hatsize_dns.lookup import answer_to
from hatsize_dns.names import absolute
from hatsize_dns.responder import Responder
from hatsize_dns.zone import Catalogue, Zone
from hatsize_dns.zone_files import read

STRANGER = Asker(ip_address("192.0.2.99"))


@pytest.fixture
async def server(tailnet, anyio_backend):
    """A server as the plugin sees it. It is made in a loop, for tests without one too."""
    return plugin_server(tailnet)


@pytest.fixture
def challenges(server):
    """The challenges of that server."""
    made = Challenges()
    made.keep_in(server.store("dns"))
    return made


@pytest.fixture
def zone_of(tmp_path):
    """Makes a zone from the text of a zone file."""

    def make(origin, text="", *layers, clients=("everybody",), serial=7):
        path = tmp_path / f"{origin}.zone"
        path.write_text("$TTL 300\n" + text)
        name = absolute(origin)
        made = (read(path, name), *layers)
        return Zone(name, clients, made, ("ns1.example.org.",), f"hostmaster.{origin}.", lambda: serial, 60)

    return make


class Questions:
    """Asks zones as one asker."""

    def __init__(self, *zones, asker=STRANGER):
        self.catalogue = Catalogue(zones)
        self.responder = Responder(self.catalogue)
        self.asker = asker

    def __call__(self, name, rdtype="A"):
        return answer_to(self.catalogue, absolute(name), from_text(rdtype), self.asker)

    def values(self, name, rdtype="A"):
        """The answer's records as sorted texts."""
        return sorted(rdata.to_text() for rrset in self(name, rdtype).answer for rdata in rrset)

    def rcode(self, name, rdtype="A"):
        return dns.rcode.to_text(self(name, rdtype).rcode)

    def respond(self, query, *, udp=True):
        """The response to a message."""
        wire = self.responder.respond(query.to_wire(), self.asker, udp=udp)
        return None if wire is None else dns.message.from_wire(wire)


@pytest.fixture
def questions():
    return Questions
