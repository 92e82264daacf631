"""Headscale on the hub of the lab: checks the lab itself, and compares the two servers under the same scenarios.

    HATSIZE_LAB_SERVER=benchmarks.clients.rival:Headscale .venv/bin/pytest -m clients tests/clients

It fails what it does not offer: IPv6 answers for peers' names, and telling a deleted node that it is one.
Its relay speaks TLS only, so it is given a certificate of its own, which its clients are told to trust.
"""

import re
from collections.abc import Mapping
from typing import Any

from tests.clients.lab import binaries
from tests.clients.lab.commands import run
from tests.clients.lab.server import PORT, ControlServer

SNAKE = re.compile(r"_([a-z])")

CONFIGURATION = """
server_url: {url}
listen_addr: {address}:{port}
noise: {{private_key_path: {data}/noise.key}}
prefixes: {{v4: 100.64.0.0/10, v6: "fd7a:115c:a1e0::/48"}}
database: {database}
tls_cert_path: {data}/server.crt
tls_key_path: {data}/server.key
unix_socket: {data}/headscale.sock
policy: {{mode: database}}
dns: {{magic_dns: true, base_domain: tailnet.example, override_local_dns: false}}
disable_check_updates: true
derp:
  urls: []
  server:
    enabled: true
    region_id: 999
    region_code: lab
    region_name: Lab
    stun_listen_addr: {address}:3478
    private_key_path: {data}/derp.key
    ipv4: {address}
"""


class Headscale(ControlServer):
    """The one that `binaries.headscale` finds.

    Raises:
        NotToBeHadError: there is none on this machine, and it cannot be built.
    """

    scheme = "https"

    def prepare(self) -> None:
        self._program = str(binaries.headscale())
        self._configuration = self.data / "config.yaml"
        self._configuration.write_text(
            CONFIGURATION.format(
                url=self.url, address=self.hub.address, port=PORT, data=self.data, database=self.database()
            )
        )
        self._certificate = self.data / "server.crt"
        run([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "30", "-subj", f"/CN={self.hub.address}", "-addext", f"subjectAltName=IP:{self.hub.address}",
            "-keyout", str(self.data / "server.key"), "-out", str(self._certificate),
        ])  # fmt: skip

    def database(self) -> str:
        """Where it keeps its state, as its configuration has it."""
        return f"{{type: sqlite, sqlite: {{path: {self.data}/db.sqlite}}}}"

    def serve_argv(self) -> list[str]:
        return [*self.cli_argv(), "serve"]

    def cli_argv(self) -> list[str]:
        return [self._program, "-c", str(self._configuration)]

    def cli(self, *arguments: str) -> Any:
        """The released command line still prints snake_case, where the next one prints the API's camelCase."""
        return _camelised(super().cli(*arguments))

    def environment(self) -> Mapping[str, str]:
        return {"SSL_CERT_FILE": str(self._certificate)}

    def client_environment(self) -> Mapping[str, str]:
        return self.environment()


def _camelised(answer: Any) -> Any:
    if isinstance(answer, list):
        return [_camelised(item) for item in answer]
    if isinstance(answer, dict):
        return {SNAKE.sub(lambda match: match[1].upper(), key): _camelised(value) for key, value in answer.items()}
    return answer
