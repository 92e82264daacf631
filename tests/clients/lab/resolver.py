"""A resolver of the lab: it knows every name below its domains, and gives all of them its one address."""

import socket
import struct
import threading
from contextlib import suppress

from tests.clients.lab.namespaces import Namespace

PORT = 53
TCP_DEADLINE = 5.0
ANSWERED, NO_SUCH_NAME = 0x8180, 0x8183
TYPE_A = 1
SAME_NAME = 0xC00C


class Resolver:
    """Listens on one address of a machine, by UDP and TCP, until the machine goes; `asked` are names it was asked."""

    def __init__(self, machine: Namespace, address: str, answer: str, *domains: str) -> None:
        self.address = address
        self.asked: list[str] = []
        self._answer, self._domains = answer, domains
        self._socket = machine.call(_bound, address)
        self._listener = machine.call(socket.create_server, (address, PORT))
        for serve in (self._serve, self._serve_tcp):
            threading.Thread(target=serve, daemon=True).start()
        machine.at_close.append(self.close)

    def close(self) -> None:
        for each in (self._socket, self._listener):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _serve(self) -> None:
        while True:
            try:
                query, peer = self._socket.recvfrom(1500)
                if not query:  # it is being closed
                    return
                self._socket.sendto(self.reply(query), peer)
            except OSError:
                return

    def _serve_tcp(self) -> None:
        """One question a connection."""
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.settimeout(TCP_DEADLINE)
                size = int.from_bytes(connection.recv(2, socket.MSG_WAITALL))
                query = connection.recv(size, socket.MSG_WAITALL)
                if query:  # else it was only tried whether there is anybody
                    reply = self.reply(query)
                    connection.sendall(len(reply).to_bytes(2) + reply)

    def reply(self, query: bytes) -> bytes:
        """The answer to a question, both as they go by UDP."""
        name, end = _question(query)
        self.asked.append(name)
        kind = struct.unpack("!H", query[end : end + 2])[0]
        known = any(name == domain or name.endswith(f".{domain}") for domain in self._domains)
        found = known and kind == TYPE_A
        head = struct.pack(
            "!HHHHHH", *struct.unpack("!H", query[:2]), ANSWERED if known else NO_SUCH_NAME, 1, found, 0, 0
        )
        record = struct.pack("!HHHIH", SAME_NAME, TYPE_A, 1, 1, 4) + socket.inet_aton(self._answer) if found else b""
        return head + query[12 : end + 4] + record


def _bound(address: str) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    bound.bind((address, PORT))
    return bound


def _question(query: bytes) -> tuple[str, int]:
    """The name that is asked for, and where it ends."""
    labels, at = [], 12
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode().lower())
        at += 1 + length
    return ".".join(labels), at + 1
