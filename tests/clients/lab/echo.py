"""TCP between two machines of the lab."""

import socket
import threading

from tests.clients.lab.namespaces import Namespace

DEADLINE = 5.0
GREETING = b"through the tunnel"


class EchoServer:
    """Sends back what each connection says first; listens on one address of a machine until `close`."""

    def __init__(self, machine: Namespace, address: str, port: int = 7007) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.address = (address, port)
        self._listener = machine.call(socket.create_server, self.address, family=family)
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.sendall(connection.recv(len(GREETING)))


def echoes(machine: Namespace, address: tuple[str, int]) -> bool:
    """Whether a greeting sent from this machine comes back."""
    try:
        with machine.call(socket.create_connection, address, timeout=DEADLINE) as connection:
            connection.sendall(GREETING)
            return connection.recv(len(GREETING)) == GREETING
    except OSError:
        return False
