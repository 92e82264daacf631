"""A network, a control server on its hub, and the clients a scenario asks for."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

from tests.clients.lab.binaries import NEWEST
from tests.clients.lab.client import RECONNECT_DEADLINE, Client
from tests.clients.lab.namespaces import Namespace
from tests.clients.lab.network import Network
from tests.clients.lab.server import ControlServer


class Lab:
    """Everything one test module plays with."""

    def __init__(self, network: Network, server: ControlServer) -> None:
        self.network = network
        self.server = server
        self.clients: list[Client] = []

    def client(self, name: str, version: str = NEWEST, *, behind_nat: bool = False, in_memory: bool = False) -> Client:
        """A started client on a machine of its own that has not joined yet."""
        machine = self.network.machine_behind_nat(name) if behind_nat else self.network.machine(name)
        return self.client_on(machine, version, in_memory=in_memory)

    def client_on(self, machine: Namespace, version: str = NEWEST, *, in_memory: bool = False) -> Client:
        environment = self.server.client_environment()
        client = Client(machine, version, environment, evidence=self.evidence, in_memory=in_memory)
        self.clients.append(client)
        return client

    def join(self, *clients: Client, key: str = "") -> None:
        """Log them in with a reusable key, all at once."""
        key = key or self.server.auth_key()
        with ThreadPoolExecutor(max(1, len(clients))) as pool:
            for joined in [pool.submit(client.up, self.server.url, key) for client in clients]:
                joined.result()

    def wait_online(self, *clients: Client) -> None:
        """Until the server holds a map stream of each: they are back after it was away."""
        for client in clients:
            connected = partial(self.server.is_online, client.name)
            client.eventually(connected, f"{client.name} is back", within=RECONNECT_DEADLINE)

    def evidence(self) -> str:
        """The tails of all logs."""
        return "\n".join([*(client.log_tail() for client in self.clients), self.server.evidence()])


@contextmanager
def laboratory(server_class: type[ControlServer]) -> Iterator[Lab]:
    """A lab that is taken down however its use ends."""
    network = Network()
    try:
        yield Lab(network, server_class(network.hub))
    finally:
        network.close()
