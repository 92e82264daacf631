"""Real clients ask the name server of hatsize-dns through the tailnet, and each is told what is for it."""

from collections.abc import Iterator

import dns.message
import dns.query
import dns.rcode
import dns.reversename
import pytest

from tests.clients.lab.client import Client
from tests.clients.lab.laboratory import Lab, laboratory
from tests.clients.lab.server import Hatsize

ZONE = "corp.example.com"
SETTINGS = """
[dns.nameservers.split]
"{zone}" = ["100.64.0.1"]
[plugins]
enabled = ["dns"]
[plugins.dns]
listen = ["0.0.0.0:53"]
[[plugins.dns.zones]]
name = "{zone}"
for = ["ann@"]
file = "{folder}/for-ann.zone"
[[plugins.dns.zones]]
name = "{zone}"
file = "{folder}/for-all.zone"
[[plugins.dns.zones]]
name = "100.64.0.0/16"
"""
POLICY = {
    "tagOwners": {"tag:names": ["ann@"]},
    "acls": [
        {"action": "accept", "src": ["ann@"], "dst": ["ann@:*"]},
        {"action": "accept", "src": ["*"], "dst": ["tag:names:53"]},
    ],
}


class NameServing(Hatsize):
    """A server with a zone of which ann is told something else than the others. Its machine is the first node."""

    def prepare(self) -> None:
        folder = self.data.parent
        (folder / "for-ann.zone").write_text("$TTL 60\nwiki A 192.0.2.1\n*.apps CNAME wiki\n")
        (folder / "for-all.zone").write_text("$TTL 60\nwiki A 192.0.2.2\n")
        self.settings = folder / "hatsize.toml"
        self.settings.write_text(SETTINGS.format(zone=ZONE, folder=folder))

    def serve_argv(self) -> list[str]:
        return [*super().serve_argv(), "-c", str(self.settings)]


@pytest.fixture(scope="module")
def lab(programs: None) -> Iterator[Lab]:
    with laboratory(NameServing) as fresh:
        names = fresh.client_on(fresh.server.hub)
        fresh.server.set_policy(POLICY)
        fresh.join(names, key=fresh.server.auth_key("ann", "--tags", "tag:names"))
        yield fresh


@pytest.fixture(scope="module")
def ann(lab: Lab) -> Client:
    return joined(lab, "ann", "anns")


@pytest.fixture(scope="module")
def ann2(lab: Lab) -> Client:
    return joined(lab, "ann", "anns-other")


@pytest.fixture(scope="module")
def bob(lab: Lab) -> Client:
    return joined(lab, "bob", "bobs")


def joined(lab: Lab, user: str, name: str) -> Client:
    client = lab.client(name)
    lab.join(client, key=lab.server.auth_key(user))
    client.wait_direct("hub")
    return client


def ask(client: Client, name: str, rdtype: str, *, tcp: bool = False) -> tuple[str, list[str]]:
    """What the name server in the tailnet tells this client: the response code and the values."""
    how = dns.query.tcp if tcp else dns.query.udp
    answer = client.machine.call(how, dns.message.make_query(name, rdtype), "100.64.0.1", timeout=10)
    return dns.rcode.to_text(answer.rcode()), sorted(rdata.to_text() for rrset in answer.answer for rdata in rrset)


def test_each_user_resolves_what_is_for_them(ann: Client, bob: Client) -> None:
    for client, address in ((ann, "192.0.2.1"), (bob, "192.0.2.2")):
        what = f"{client.name} resolves the wiki as {address}"
        client.eventually(lambda c=client, a=address: c.resolve(f"wiki.{ZONE}") == a, what, within=20)


def test_a_wildcard_and_an_alias_are_resolved(ann: Client, bob: Client) -> None:
    ann.eventually(lambda: ann.resolve(f"mail.apps.{ZONE}") == "192.0.2.1", "the alias is resolved", within=20)
    assert bob.resolve(f"mail.apps.{ZONE}") == ""


@pytest.mark.parametrize("tcp", [False, True])
def test_a_node_is_named_to_those_who_see_it(ann: Client, ann2: Client, bob: Client, tcp: bool) -> None:
    name = f"anns-other.{ZONE}"
    assert ask(ann, name, "A", tcp=tcp) == ("NOERROR", [ann2.addresses()[0]])
    assert ask(bob, name, "A", tcp=tcp) == ("NXDOMAIN", [])


def test_so_are_addresses(ann: Client, ann2: Client, bob: Client) -> None:
    name = dns.reversename.from_address(ann2.addresses()[0]).to_text()
    assert ask(ann, name, "PTR") == ("NOERROR", [f"anns-other.{ZONE}."])
    assert ask(bob, name, "PTR") == ("NXDOMAIN", [])
