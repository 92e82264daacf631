"""Addresses of nodes: from a tag's pool, of the administrator's choice, and anew after the prefixes have changed."""

from collections.abc import Iterator, Mapping

import pytest

from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import RECONNECT_DEADLINE, Client
from tests.clients.lab.commands import CommandError
from tests.clients.lab.laboratory import Lab, laboratory
from tests.clients.lab.server import Hatsize

POOL, OPS_POOL = "100.90.0.0/16", "100.91.0.0/16"
BEFORE, AFTER = "100.64.0.0/10", "100.80.0.0/12"
AT_ONCE = 10.0
POLICY = {
    "tagOwners": {"tag:office": []},
    "grants": [{"src": ["*"], "dst": ["*"], "ip": ["*"]}],
    "groups": {"group:ops": ["olga@"]},
    "nodeAttrs": [{"target": ["tag:office"], "ipPool": [POOL]}, {"target": ["group:ops"], "ipPool": [OPS_POOL]}],
}
Clients = dict[str, Client]
both_versions = pytest.mark.parametrize("version", [OLDEST, NEWEST])


class Moving(Hatsize):
    """A server whose prefix can change at the next start."""

    prefix = BEFORE

    def environment(self) -> Mapping[str, str]:
        return {**super().environment(), "HATSIZE_PREFIXES_V4": self.prefix}


@pytest.fixture(scope="module")
def lab(programs: None) -> Iterator[Lab]:
    with laboratory(Moving) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def clients(lab: Lab) -> Clients:
    """A client of each version, by version, an office's, tagged, and one of a user in a group."""
    lab.server.user("olga")
    lab.server.set_policy(POLICY)
    clients = {version: lab.client(f"client-{version.replace('.', '-')}", version) for version in (OLDEST, NEWEST)}
    lab.join(*clients.values())
    office = lab.client("office")
    lab.join(office, key=lab.server.auth_key("lab", "--tags", "tag:office"))
    olgas = lab.client("olgas", OLDEST)
    lab.join(olgas, key=lab.server.auth_key("olga"))
    return {**clients, "office": office, "olgas": olgas}


def give(lab: Lab, client: Client, *addresses: str) -> None:
    lab.server.cli("nodes", "address", "-i", lab.server.node_id(client.name), *addresses)


def other_than(clients: Clients, version: str) -> Client:
    return clients[OLDEST if version == NEWEST else NEWEST]


def test_a_tagged_node_has_an_address_of_its_tags_pool(clients: Clients) -> None:
    assert clients["office"].addresses()[0].startswith("100.90.")
    assert not clients[NEWEST].addresses()[0].startswith("100.90.")
    clients[NEWEST].reach("office")


def test_a_node_of_a_groups_member_has_an_address_of_the_groups_pool(clients: Clients) -> None:
    assert clients["olgas"].addresses()[0].startswith("100.91.")
    clients["olgas"].reach("office")


@both_versions
def test_a_node_is_given_the_addresses_of_the_administrators_choice(lab: Lab, clients: Clients, version: str) -> None:
    client, witness = clients[version], other_than(clients, version)
    last = version.rpartition(".")[2]
    chosen = (f"100.64.77.{last}", f"fd7a:115c:a1e0::77:{last}")
    before = client.addresses()[0]
    witness.reach(client.name)
    give(lab, client, *chosen)
    client.eventually(lambda: client.addresses() == chosen, "it has them", within=AT_ONCE)
    witness.eventually(lambda: witness.resolve(client.name) == chosen[0], "its name leads there", within=AT_ONCE)
    witness.reach(chosen[0])
    witness.reach(chosen[1], family=6)
    assert not witness.pings(before)


@both_versions
def test_chosen_addresses_outlive_a_new_login(lab: Lab, clients: Clients, version: str) -> None:
    client = clients[version]
    before = client.addresses()
    client.up(lab.server.url, lab.server.auth_key(), "--force-reauth")
    client.wait_state("Running")
    assert client.addresses() == before


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("100.100.100.100", "use themselves"),
        ("100.64.0.300", "not an IP address"),
        ("100.128.0.1", "none of the prefixes"),
    ],
)
def test_an_address_it_cannot_have_is_refused_in_words(lab: Lab, clients: Clients, address: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        give(lab, clients["office"], address)


def test_after_a_change_of_prefix_nodes_are_given_addresses_anew(lab: Lab, clients: Clients) -> None:
    assert isinstance(lab.server, Moving)
    office = clients["office"].addresses()
    lab.server.stop()
    lab.server.prefix = AFTER
    lab.server.start()
    changed = lab.server.cli("nodes", "backfillips", "--force")["changes"]
    assert len(changed) == 2, "the office's address is of its pool, and stays"
    for version in (OLDEST, NEWEST):
        client = clients[version]
        client.eventually(
            lambda client=client: 80 <= int(client.addresses()[0].split(".")[1]) < 96,
            f"{client.name} has an address of the new prefix",
            within=RECONNECT_DEADLINE,
        )
    assert clients["office"].addresses() == office
    clients[OLDEST].reach(clients[NEWEST].name)
    clients["office"].reach(clients[OLDEST].name)
