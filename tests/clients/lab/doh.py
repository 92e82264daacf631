"""DNS over HTTPS in the place of a public service: at that service's addresses, by its name."""

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from hatsize.server.tls import self_signed
from tests.clients.lab.namespaces import Namespace
from tests.clients.lab.resolver import Resolver

PORT = 443
DNS_MESSAGE = "application/dns-message"


class DnsOverHttps:
    """Answers as `resolver` does, until the machine goes; `asked` are the paths with their queries, in order."""

    def __init__(self, machine: Namespace, name: str, addresses: list[str], resolver: Resolver) -> None:
        files = self_signed(machine.directory / name, [name])
        self.certificate: Path = files.certificate
        self.asked: list[str] = []
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(files.certificate, files.key)
        handler = type("Handler", (_Handler,), {"resolver": resolver, "asked": self.asked})
        for address in addresses:
            server = machine.call(ThreadingHTTPServer, (address, PORT), handler)
            server.daemon_threads = True
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            machine.at_close += [server.shutdown, server.server_close]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    resolver: Resolver
    asked: list[str]

    def do_POST(self) -> None:
        self.asked.append(self.path)
        answer = self.resolver.reply(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Type", DNS_MESSAGE)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_unused: object) -> None:
        """Nothing: what was asked is kept in `asked`."""
