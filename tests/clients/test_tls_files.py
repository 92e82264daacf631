"""Real clients over TLS with certificate files, which are replaced while they are connected."""

from collections.abc import Iterator, Mapping

import pytest

from hatsize.server.tls import CertificateFiles, self_signed
from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import RECONNECT_DEADLINE, Client
from tests.clients.lab.laboratory import Lab, laboratory
from tests.clients.lab.server import Hatsize

SWAP_DEADLINE = 15.0


class OverTLS(Hatsize):
    """A server with certificate files, made by an authority of its own that the clients trust."""

    scheme = "https"

    def prepare(self) -> None:
        self.folder = self.data.parent / "certificates"
        self.files = self.make()
        self.trusted = self.data.parent / "trusted.pem"
        self.other = self.make("other")
        self.trusted.write_bytes(self.files.certificate.read_bytes() + self.other.certificate.read_bytes())

    def make(self, name: str = "first") -> CertificateFiles:
        return self_signed(self.folder / name, [self.hub.address])

    def environment(self) -> Mapping[str, str]:
        cert, key = str(self.files.certificate), str(self.files.key)
        return {**super().environment(), "HATSIZE_TLS_CERT_FILE": cert, "HATSIZE_TLS_KEY_FILE": key}

    def client_environment(self) -> Mapping[str, str]:
        return {"SSL_CERT_FILE": str(self.trusted)}

    def swap(self) -> None:
        """Put the other certificate in the place of the first one."""
        self.other.key.replace(self.files.key)
        self.other.certificate.replace(self.files.certificate)


@pytest.fixture(scope="module")
def lab(programs: None) -> Iterator[Lab]:
    with laboratory(OverTLS) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def clients(lab: Lab) -> list[Client]:
    clients = [lab.client("old", OLDEST), lab.client("new", NEWEST, behind_nat=True)]
    lab.join(*clients)
    return clients


def test_clients_join_over_tls_and_reach_each_other(clients: list[Client]) -> None:
    old, new = clients
    old.reach("new")
    new.reach("old")


def test_another_certificate_is_taken_without_anybody_noticing(lab: Lab, clients: list[Client]) -> None:
    server = lab.server
    assert isinstance(server, OverTLS)
    server.swap()
    old, new = clients
    old.eventually(lambda: "is in use" in server.evidence(), "the new certificate is in use", within=SWAP_DEADLINE)
    assert all(server.is_online(client.name) for client in clients)
    late = lab.client("late", NEWEST)
    lab.join(late)
    late.reach("old")
    new.stop()
    new.start()
    new.reach("late", within=RECONNECT_DEADLINE)
