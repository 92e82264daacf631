"""Real clients get certificates of their names from a real ACME authority, and serve with them."""

import http.client
import json
import shutil
import socket
import ssl
from collections.abc import Iterator, Mapping

import pytest
from cryptography import x509

from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import Client
from tests.clients.lab.commands import CommandError
from tests.clients.lab.laboratory import Lab, laboratory
from tests.clients.lab.pebble import Pebble
from tests.clients.lab.requirements import required
from tests.clients.lab.server import Hatsize

BASE = "net.example.com"
SETTINGS = """
[dns]
base_domain = "{base}"
[plugins]
enabled = ["dns"]
[plugins.dns]
listen = ["{names}"]
zones = [{{ name = "{base}", nodes = "all" }}]
"""
ISSUED_WITHIN = 60.0


class NameServing(Hatsize):
    """A server that is the name server of its base domain, beside an ACME authority that asks it."""

    def prepare(self) -> None:
        names = f"{self.hub.address}:53"
        self.settings = self.data.parent / "hatsize.toml"
        self.settings.write_text(SETTINGS.format(base=BASE, names=names))
        self.pebble = Pebble(self.hub, names)

    def environment(self) -> Mapping[str, str]:
        return {**super().environment(), "HATSIZE_CONFIG": str(self.settings)}

    def client_environment(self) -> Mapping[str, str]:
        return {"TS_DEBUG_ACME_DIRECTORY_URL": self.pebble.url, "SSL_CERT_FILE": str(self.pebble.ca_file)}


@pytest.fixture(scope="module")
def lab(programs: None) -> Iterator[Lab]:
    if not shutil.which("nginx"):
        (pytest.fail if required() else pytest.skip)("needs nginx (Debian package nginx-light)")
    with laboratory(NameServing) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def pebble(lab: Lab) -> Pebble:
    assert isinstance(lab.server, NameServing)
    return lab.server.pebble


@pytest.fixture(scope="module")
def newest(lab: Lab) -> Client:
    return joined(lab, "newest", NEWEST)


@pytest.fixture(scope="module")
def oldest(lab: Lab) -> Client:
    return joined(lab, "oldest", OLDEST)


def joined(lab: Lab, name: str, version: str) -> Client:
    client = lab.client(name, version)
    lab.join(client)
    return client


def certificate(client: Client, name: str) -> x509.Certificate:
    """What `tailscale cert` writes for a name."""
    folder = client.machine.directory
    files = [f"--cert-file={folder / 'cert.pem'}", f"--key-file={folder / 'key.pem'}"]
    client.tailscale("cert", *files, name, deadline=ISSUED_WITHIN)
    return x509.load_pem_x509_certificate((folder / "cert.pem").read_bytes())


def names_of(certificate: x509.Certificate) -> list[str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return sorted(names.get_values_for_type(x509.DNSName))


def page(address: str, name: str, root: str) -> str:
    """What `https://NAME/` holds, from somebody who trusts this root alone."""
    context = ssl.create_default_context(cadata=root)
    connection = http.client.HTTPConnection(name)
    plain = socket.create_connection((address, 443), timeout=20)
    with plain, context.wrap_socket(plain, server_hostname=name) as connection.sock:
        connection.request("GET", "/")
        return connection.getresponse().read().decode()


@pytest.mark.parametrize("version", ["newest", "oldest"])
def test_a_client_gets_a_certificate_of_its_name(version: str, request: pytest.FixtureRequest) -> None:
    client: Client = request.getfixturevalue(version)
    assert names_of(certificate(client, f"{version}.{BASE}")) == [f"{version}.{BASE}"]


def test_it_serves_with_it_to_others_who_verify_it(newest: Client, oldest: Client, pebble: Pebble) -> None:
    newest.tailscale("serve", "--bg", "--https=443", "text:served with a certificate")
    oldest.eventually(lambda: oldest.resolve(f"newest.{BASE}"), "the name is resolved", within=20)
    address = oldest.resolve(f"newest.{BASE}")
    told = oldest.machine.call(page, address, f"newest.{BASE}", pebble.root())
    assert told == "served with a certificate"


def test_another_nodes_name_is_refused_in_words(newest: Client) -> None:
    with pytest.raises(CommandError, match=r'invalid domain "oldest.net.example.com"'):
        certificate(newest, f"oldest.{BASE}")


def test_a_certificate_for_all_names_below_it(newest: Client, lab: Lab) -> None:
    rule = {"action": "accept", "src": ["*"], "dst": ["*:*"]}
    lab.server.set_policy({"acls": [rule], "nodeAttrs": [{"target": ["*"], "attr": ["dns-subdomain-resolve"]}]})
    newest.eventually(
        lambda: "dns-subdomain-resolve" in newest.status()["Self"]["CapMap"], "the attribute is known", within=20
    )
    assert names_of(certificate(newest, f"*.newest.{BASE}")) == [f"*.newest.{BASE}", f"newest.{BASE}"]


def test_the_command_line_shows_what_is_published(lab: Lab) -> None:
    argv = [*lab.server.cli_argv(), "zones", "list", "-o", "json"]
    shown = json.loads(lab.server.hub.run(*argv, env=lab.server.environment()))
    assert (shown["zones"][0]["zone"], shown["zones"][0]["state"]) == (BASE, "NOERROR")
    assert {each["name"] for each in shown["challenges"]} == {
        f"_acme-challenge.newest.{BASE}", f"_acme-challenge.oldest.{BASE}",
    }  # fmt: skip
