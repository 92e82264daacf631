"""Two relays in one region, ours or one of them Tailscale's: clients that are connected to different ones meet."""

from collections.abc import Iterator

import pytest

from tests.clients.lab import nat
from tests.clients.lab.binaries import DERPER, NEWEST, OLDEST, install
from tests.clients.lab.client import Client
from tests.clients.lab.echo import EchoServer, echoes
from tests.clients.lab.laboratory import Lab, laboratory
from tests.clients.lab.relays import Derper, OurRelay, Relay, region, wall_off, write_map
from tests.clients.test_relay_regions import Relayless

REGION = 910
MEET_DEADLINE = 60.0  # a client tries the relay it cannot reach first, and each of two links waits for the other side
KINDS: dict[str, tuple[type[Relay], type[Relay]]] = {
    "two of ours": (OurRelay, OurRelay),
    "a derper": (OurRelay, Derper),
}


class Meshed(Lab):
    """One region of two relays, and clients without UDP that reach only the relay of their side."""

    server: Relayless

    def build(self, kinds: tuple[type[Relay], type[Relay]]) -> None:
        self.left, self.right = (
            kind(self.network.machine(f"relay-{side}")) for side, kind in zip(("left", "right"), kinds, strict=True)
        )
        self.left.meshed, self.right.meshed = [self.right], [self.left]
        for relay in (self.left, self.right):
            relay.start()
        write_map(self.server.map, region(REGION, self.left, self.right))
        self.on_left = [self._client(f"left-{number}", version, self.right) for number, version in VERSIONS]
        self.on_right = [self._client(f"right-{number}", version, self.left) for number, version in VERSIONS]
        self.join(*self.on_left, *self.on_right)

    def evidence(self) -> str:
        return "\n".join([super().evidence(), self.left.evidence(), self.right.evidence()])

    def _client(self, name: str, version: str, out_of_reach: Relay) -> Client:
        machine = self.network.machine(name)
        nat.block_udp(machine)
        wall_off(machine, out_of_reach)
        return self.client_on(machine, version)


VERSIONS = list(enumerate((OLDEST, NEWEST)))


@pytest.fixture(scope="module", params=KINDS)
def lab(request: pytest.FixtureRequest, programs: None) -> Iterator[Meshed]:
    install([DERPER])
    with laboratory(Relayless) as fresh:
        meshed = Meshed(fresh.network, fresh.server)
        meshed.build(KINDS[request.param])
        yield meshed


def meet(one: Client, other: Client) -> None:
    """Each reaches the other, by the relays."""
    for source, target in ((one, other), (other, one)):
        source.reach(target.name, within=MEET_DEADLINE)
        assert source.path_to(target.name) == f"DERP(lab-{REGION})"


def test_clients_on_either_side_meet(lab: Meshed) -> None:
    for one in lab.on_left:
        for other in lab.on_right:
            meet(one, other)


def test_clients_on_one_side_meet(lab: Meshed) -> None:
    meet(*lab.on_left)
    meet(*lab.on_right)


def test_the_mesh_carries_tcp(lab: Meshed) -> None:
    left, right = lab.on_left[0], lab.on_right[0]
    for source, target in ((left, right), (right, left)):
        server = EchoServer(target.machine, target.addresses()[0])
        assert echoes(source.machine, server.address)
        server.close()


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_mesh_is_whole_again_after_a_relay_was_killed(lab: Meshed, side: str) -> None:
    relay: Relay = getattr(lab, side)
    relay.daemon.kill()
    relay.start()
    meet(lab.on_left[0], lab.on_right[0])
