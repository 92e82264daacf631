"""An ACME authority on the hub: Pebble, which looks names up at one name server only.

tailscaled goes on from a finalised order by the `Location` that RFC 8555 (7.4) shows in the answer and that public
authorities send; Pebble sends none, so an nginx before it adds it.
"""

import json
import ssl
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from hatsize.server.tls import self_signed
from tests.clients.lab.binaries import PEBBLE
from tests.clients.lab.daemon import Daemon
from tests.clients.lab.logs import tail
from tests.clients.lab.namespaces import Namespace
from tests.clients.lab.waiting import eventually

PORT, BEHIND, ROOTS_PORT = 14000, 14001, 15000
START_DEADLINE = 20.0
ENVIRONMENT = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}
NGINX = """
daemon off; user root; pid {folder}/nginx.pid; error_log stderr;
events {{}}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  server {{
    listen {host}:{port} ssl;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    proxy_set_header Host $http_host;
    proxy_redirect off;
    location / {{ proxy_pass https://{host}:{behind}; }}
    location ~ ^/finalize-order/(?<order>.*)$ {{
      proxy_pass https://{host}:{behind};
      add_header Location https://$http_host/my-order/$order;
    }}
  }}
}}
"""


class Pebble:
    """Its own interface has the certificate `ca_file`; those it issues are of the authority that `root` tells."""

    def __init__(self, hub: Namespace, names: str, **more: object) -> None:
        """`names` is the address and port of the name server; `more` are settings of Pebble's."""
        self.hub = hub
        self.folder = hub.directory / "pebble"
        self.folder.mkdir()
        self.files = self_signed(self.folder, [hub.address])
        self.ca_file = self.files.certificate
        self.url = f"https://{hub.address}:{PORT}/dir"
        self._log = self.folder / "pebble.log"
        pebble = [str(PEBBLE.path), "-config", str(self._settings(more)), "-dnsserver", names]
        self._daemons = [
            Daemon(hub, *pebble, log=self._log, env=ENVIRONMENT),
            Daemon(hub, "nginx", "-e", "stderr", "-c", str(self._front()), log=self._log),
        ]
        eventually(self._answers, "Pebble answers", within=START_DEADLINE, evidence=lambda: tail(self._log))

    def root(self) -> str:
        """The authority's own certificate, as PEM; empty while there is no answer."""
        return self._get(f"https://{self.hub.address}:{ROOTS_PORT}/roots/0")

    def _answers(self) -> bool:
        return bool(self.root() and self._get(self.url))

    def _get(self, url: str) -> str:
        return self.hub.call(_get, url, self.ca_file)

    def _settings(self, more: Mapping[str, object]) -> Path:
        settings = {
            **more,
            "listenAddress": f"{self.hub.address}:{BEHIND}",
            "managementListenAddress": f"{self.hub.address}:{ROOTS_PORT}",
            "certificate": str(self.files.certificate),
            "privateKey": str(self.files.key),
        }
        path = self.folder / "pebble.json"
        path.write_text(json.dumps({"pebble": settings}))
        return path

    def _front(self) -> Path:
        path = self.folder / "nginx.conf"
        named = {"host": self.hub.address, "certificate": self.files.certificate, "key": self.files.key}
        path.write_text(NGINX.format(folder=self.folder, port=PORT, behind=BEHIND, **named))
        return path


def _get(url: str, ca_file: Path) -> str:
    context = ssl.create_default_context(cafile=str(ca_file))
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    try:
        with direct.open(url, timeout=5) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""
