"""A real client gets a certificate where its domain is served by BIND, which the server updates."""

import shutil
from collections.abc import Iterator, Mapping

import pytest

from tests.clients.lab.daemon import Daemon
from tests.clients.lab.laboratory import Lab, laboratory
from tests.clients.lab.logs import tail
from tests.clients.lab.pebble import Pebble
from tests.clients.lab.requirements import required
from tests.clients.lab.server import Hatsize
from tests.clients.test_tailscale_cert import BASE, certificate, names_of

SECRET = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
SETTINGS = """
[dns]
base_domain = "{base}"
[plugins]
enabled = ["dns"]
[plugins.dns]
updates = [{{ zone = "{base}", server = "{host}", key = "hatsize", secret = "{secret}" }}]
"""
NAMED = """
options {{
  directory "{folder}"; pid-file "{folder}/named.pid"; session-keyfile "{folder}/session.key";
  listen-on {{ {host}; }}; listen-on-v6 {{ none; }}; recursion no; dnssec-validation no;
}};
controls {{ }};
key "hatsize" {{ algorithm hmac-sha256; secret "{secret}"; }};
zone "{base}" {{ type primary; file "zone"; update-policy {{ grant hatsize subdomain {base} TXT; }}; }};
"""
ZONE = "$TTL 60\n@ SOA ns hostmaster 1 3600 600 604800 60\n@ NS ns\nns A 10.99.0.1\n"


class BesideBind(Hatsize):
    """A server beside the name server of its base domain and an ACME authority that asks that."""

    def prepare(self) -> None:
        told = {"base": BASE, "host": self.hub.address, "secret": SECRET, "folder": self.data.parent / "bind"}
        folder = self.data.parent / "bind"
        folder.mkdir()
        (folder / "zone").write_text(ZONE)
        (folder / "named.conf").write_text(NAMED.format(**told))
        self.named_log = folder / "log"
        Daemon(self.hub, "named", "-g", "-n", "1", "-c", str(folder / "named.conf"), log=self.named_log)
        self.settings = self.data.parent / "hatsize.toml"
        self.settings.write_text(SETTINGS.format(**told))
        self.pebble = Pebble(self.hub, f"{self.hub.address}:53")

    def environment(self) -> Mapping[str, str]:
        return {**super().environment(), "HATSIZE_CONFIG": str(self.settings)}

    def client_environment(self) -> Mapping[str, str]:
        return {"TS_DEBUG_ACME_DIRECTORY_URL": self.pebble.url, "SSL_CERT_FILE": str(self.pebble.ca_file)}

    def evidence(self) -> str:
        return super().evidence() + tail(self.named_log)


@pytest.fixture(scope="module")
def lab(programs: None) -> Iterator[Lab]:
    if lacks := [name for name in ("named", "nginx") if not shutil.which(name)]:
        (pytest.fail if required() else pytest.skip)(f"needs {' and '.join(lacks)}")
    with laboratory(BesideBind) as fresh:
        yield fresh


def test_a_client_gets_a_certificate_of_its_name(lab: Lab) -> None:
    client = lab.client("desk")
    lab.join(client)
    assert names_of(certificate(client, f"desk.{BASE}")) == [f"desk.{BASE}"]
    assert f"adding an RR at '_acme-challenge.desk.{BASE}' TXT" in lab.server.evidence()
