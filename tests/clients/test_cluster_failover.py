"""The database of two replicas fails over to its standby, with real clients there."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from hatsize.testing.postgres import NoPostgresError, PostgresServer
from hatsize.testing.postgres_standby import Standby
from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.laboratory import Lab
from tests.clients.lab.network import Network
from tests.clients.lab.replicas import Balanced, absent, need_haproxy
from tests.clients.lab.steady_ping import SteadyPing

SERVING = 20.0


class OnTwoDatabases(Balanced):
    """Replicas whose URL names a primary and its synchronous standby."""

    def database(self) -> str:
        self.primary, self.standby = PostgresServer(), Standby()
        for server in (self.primary, self.standby):
            self.hub.at_close.append(server.close)
        self.primary.__enter__()
        self.standby.follow(self.primary)
        return self.standby.beside(self.primary)


@dataclass(frozen=True)
class FailedOver:
    """What was before and meanwhile, and the lab as it is now."""

    lab: Lab
    promised: tuple[str, str]
    """The addresses of a node that had been registered the moment before."""
    key: str
    """An auth key made before."""
    lost: int
    """Echoes lost between two clients meanwhile."""
    seen_offline: set[str]


@pytest.fixture(scope="module")
def failed_over(programs: None) -> Iterator[FailedOver]:
    need_haproxy()
    network = Network()
    try:
        server = OnTwoDatabases(network)
        lab = Lab(network, server)
        old, new, last = lab.client("old", OLDEST), lab.client("new", NEWEST), lab.client("last")
        lab.join(old, new)
        old.wait_direct("new")
        key = server.auth_key()
        ping = SteadyPing(old.machine, new.addresses()[0])
        last.up(server.url, key)
        server.primary.kill()
        server.standby.promote()
        seen_offline: set[str] = set()

        def both_serve() -> bool:
            seen_offline.update(name for name in ("new", "last") if old.peer(name).get("Online") is False)
            return len(server.status()) == 2

        old.eventually(both_serve, "both replicas serve", within=SERVING)
        yield FailedOver(lab, last.addresses(), key, ping.lost(), seen_offline)
    except NoPostgresError as error:
        absent(str(error))
    finally:
        network.close()


def test_what_was_promised_the_moment_before_is_there(failed_over: FailedOver) -> None:
    assert tuple(failed_over.lab.server.node("last")["ipAddresses"]) == failed_over.promised


def test_clients_talk_on_and_nobody_is_shown_offline(failed_over: FailedOver) -> None:
    assert (failed_over.lost, failed_over.seen_offline) == (0, set())
    assert all(failed_over.lab.server.is_online(name) for name in ("old", "new", "last"))


def test_a_change_reaches_clients_of_both_replicas(failed_over: FailedOver) -> None:
    failed_over.lab.server.rename("last", "renamed")
    for client in failed_over.lab.clients[:2]:
        client.wait_peer("renamed")


def test_a_client_joins_with_a_key_made_before_at_an_address_of_its_own(failed_over: FailedOver) -> None:
    late = failed_over.lab.client("late")
    late.up(failed_over.lab.server.url, failed_over.key)
    late.reach("new")
    addresses = [node["ipAddresses"][0] for node in failed_over.lab.server.nodes()]
    assert len(set(addresses)) == len(addresses) == 4
