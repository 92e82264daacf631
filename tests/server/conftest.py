"""A real ACME test server, Pebble, for whom every name leads to this machine."""

import json
import os
import socket
import socketserver
import struct
import subprocess
import threading
import time
from pathlib import Path

import pytest

from hatsize.server.tls import self_signed
from hatsize.testing.server import free_port
from tests.clients.lab import binaries

PEBBLE = str(binaries.PEBBLE.path)


class NameServer(socketserver.StreamRequestHandler):
    """Answers that every name has the address 127.0.0.1, and nothing else. By TCP, as Pebble asks."""

    def handle(self):
        while length := self.rfile.read(2):
            query = self.rfile.read(int.from_bytes(length))
            end = query.index(b"\0", 12) + 5
            is_a = query[end - 4 : end - 2] == b"\0\1"
            header = query[:2] + struct.pack(">HHHHH", 0x8180, 1, int(is_a), 0, 0)
            record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + bytes([127, 0, 0, 1])
            answer = header + query[12:end] + (record if is_a else b"")
            self.wfile.write(len(answer).to_bytes(2) + answer)


@pytest.fixture
def names():
    """The address of a name server for whom every name is this machine."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), NameServer) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield "{}:{}".format(*server.server_address)
        server.shutdown()


class Pebble:
    """An ACME server that asks at ports of its own."""

    def __init__(self, folder, names):
        folder.mkdir()
        files = self_signed(folder, ["127.0.0.1"])
        self.ca_file = files.certificate
        self.port, self.tls_port, self.http_port = free_port(), free_port(), free_port()
        config = {
            "listenAddress": f"127.0.0.1:{self.port}",
            "certificate": str(files.certificate),
            "privateKey": str(files.key),
            "httpPort": self.http_port,
            "tlsPort": self.tls_port,
        }
        (folder / "pebble.json").write_text(json.dumps({"pebble": config}))
        environment = {**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}
        argv = [PEBBLE, "-config", str(folder / "pebble.json"), "-dnsserver", names]
        self.log = (folder / "pebble.log").open("wb")
        self.process = subprocess.Popen(argv, stdout=self.log, stderr=self.log, env=environment)
        self.url = f"https://127.0.0.1:{self.port}/dir"

    def wait(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError(Path(self.log.name).read_text())

    def close(self):
        self.process.kill()
        self.process.wait()
        self.log.close()


@pytest.fixture
def pebble(tmp_path, names):
    """A real ACME server."""
    if not Path(PEBBLE).exists():
        pytest.skip("pebble is not installed: python -m tests.clients.lab.install")
    made = Pebble(tmp_path / "pebble", names)
    made.wait()
    yield made
    made.close()
