"""A server that tells everybody the address they come from, and so which way their packets took."""

import socket
import threading
from contextlib import suppress

from tests.clients.lab.namespaces import Namespace

DEADLINE = 3.0
PORT = 7008


class Mirror:
    """Listens on one address of a machine until `close`."""

    def __init__(self, machine: Namespace, address: str) -> None:
        self.address = address
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._listener = machine.call(socket.create_server, (address, PORT), family=family)
        threading.Thread(target=self._serve, daemon=True).start()
        machine.at_close.append(self.close)

    def close(self) -> None:
        with suppress(OSError):  # it is closed already
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, peer = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.sendall(str(peer[0]).encode())

    def seen_from(self, machine: Namespace, by: str = "") -> str:
        """The address by which it sees a machine; empty when the machine does not reach it, by its or another name."""
        try:
            with machine.call(socket.create_connection, (by or self.address, PORT), timeout=DEADLINE) as connection:
                return connection.recv(100).decode()
        except OSError:
            return ""
