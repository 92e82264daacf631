"""Real name servers, each the primary of one zone that takes updates signed with a key."""

import contextlib
import os
import shutil
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hatsize.testing.server import free_port

ZONE = "net.example.com"
ZONE_FILE = "$TTL 60\n@ SOA ns hostmaster 1 3600 600 604800 60\n@ NS ns\nns A 127.0.0.1\n"
PATIENCE = 10.0
SECRET = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
API_KEY = "sesame"

NAMED = """
options {{
  directory "{folder}"; pid-file "{folder}/named.pid"; session-keyfile "{folder}/session.key";
  listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  recursion no; dnssec-validation no;
}};
controls {{ }};
key "hatsize" {{ algorithm hmac-sha256; secret "{secret}"; }};
zone "{zone}" {{ type primary; file "zone"; update-policy {{ grant hatsize subdomain {zone} TXT; }}; }};
"""
KNOT = """
server:
  rundir: "{folder}"
  listen: 127.0.0.1@{port}
database:
  storage: "{folder}"
key:
  - id: hatsize
    algorithm: hmac-sha256
    secret: "{secret}"
acl:
  - id: updates
    key: hatsize
    action: update
zone:
  - domain: {zone}
    storage: "{folder}"
    file: "zone"
    acl: updates
"""
POWERDNS = """
launch=gsqlite3
gsqlite3-database={folder}/pdns.db
local-address=127.0.0.1
local-port={port}
socket-dir={folder}
dnsupdate=yes
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
api=yes
api-key={api_key}
webserver-address=127.0.0.1
webserver-port={api_port}
"""
POWERDNS_SCHEMA = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")
POWERDNS_ZONE = """
INSERT INTO domains (id, name, type) VALUES (1, '{zone}', 'NATIVE');
INSERT INTO records (domain_id, name, type, content, ttl, auth) VALUES
  (1, '{zone}', 'SOA', 'ns.{zone} hostmaster.{zone} 1 3600 600 604800 60', 60, 1),
  (1, '{zone}', 'NS', 'ns.{zone}', 60, 1),
  (1, 'ns.{zone}', 'A', '127.0.0.1', 60, 1);
INSERT INTO tsigkeys (name, algorithm, secret) VALUES ('hatsize', 'hmac-sha256', '{secret}');
INSERT INTO domainmetadata (domain_id, kind, content) VALUES (1, 'TSIG-ALLOW-DNSUPDATE', 'hatsize');
"""
SERVERS = {
    "named": (NAMED, ("-g", "-n", "1", "-c", "{folder}/named.conf")),
    "knotd": (KNOT, ("-c", "{folder}/knotd.conf")),
    "pdns_server": (POWERDNS, ("--config-dir={folder}", "--guardian=no", "--daemon=no")),
}
FILES = {"pdns_server": "pdns.conf"}


@dataclass(frozen=True)
class NameServer:
    """One that runs, on 127.0.0.1."""

    port: int
    api_port: int
    """Where PowerDNS has its HTTP interface."""


@contextlib.contextmanager
def running(make: str, folder: Path) -> Iterator[NameServer]:
    """Run a name server of a make; skipped with the reason where it is not installed."""
    program = shutil.which(make)
    if program is None or (make == "pdns_server" and not POWERDNS_SCHEMA.exists()):
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{make} is not installed")
    server = NameServer(free_port(), free_port())
    told = {
        "folder": folder, "zone": ZONE, "secret": SECRET, "port": server.port, "api_port": server.api_port,
        "api_key": API_KEY,
    }  # fmt: skip
    text, arguments = SERVERS[make]
    (folder / "zone").write_text(ZONE_FILE)
    (folder / FILES.get(make, f"{make}.conf")).write_text(text.format(**told))
    if make == "pdns_server":
        with contextlib.closing(sqlite3.connect(folder / "pdns.db")) as database:
            database.executescript(POWERDNS_SCHEMA.read_text() + POWERDNS_ZONE.format(**told))
    log = folder / "log"
    with (
        log.open("wb") as out,
        subprocess.Popen([program, *(each.format(**told) for each in arguments)], stdout=out, stderr=out) as process,
    ):
        try:
            _await(server.port, process, log)
            yield server
        finally:
            process.kill()


def _await(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, log.read_text()
        time.sleep(0.05)
    pytest.fail(f"it does not listen: {log.read_text()}")
