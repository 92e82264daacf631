"""Taildrop: files go between machines of one user, and to nobody else."""

import pytest

from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import Client
from tests.clients.lab.commands import CommandError
from tests.clients.lab.laboratory import Lab

CONTENT = b"from hand to hand\n" * 5000
REFUSED = r"(?i)not .*(owned|permitted|found)|unknown target|can't send|different user|cannot send"
Clients = dict[str, Client]


@pytest.fixture(scope="module")
def clients(lab: Lab) -> Clients:
    """`old` and `new` are alice's, one of them behind NAT, `his` is bob's."""
    clients = [lab.client("old", OLDEST), lab.client("new", NEWEST, behind_nat=True)]
    lab.join(*clients, key=lab.server.auth_key("alice"))
    his = lab.client("his")
    lab.join(his, key=lab.server.auth_key("bob"))
    clients[0].reach("his")
    return {client.name: client for client in (*clients, his)}


@pytest.mark.parametrize(("source", "target"), [("old", "new"), ("new", "old")])
def test_a_file_goes_from_one_machine_of_a_user_to_another(clients: Clients, source: str, target: str) -> None:
    sender, receiver = clients[source], clients[target]
    sent = sender.machine.directory / f"to-{target}.txt"
    sent.write_bytes(CONTENT)
    inbox = receiver.machine.directory / "inbox"
    inbox.mkdir()
    sender.reach(target)
    sender.tailscale("file", "cp", str(sent), f"{target}:")
    receiver.tailscale("file", "get", "--wait", str(inbox))
    assert (inbox / sent.name).read_bytes() == CONTENT


def test_only_machines_of_the_same_user_are_offered_as_targets(clients: Clients) -> None:
    targets = clients["old"].tailscale("file", "cp", "--targets")
    assert "new" in targets
    assert "his" not in targets


def test_a_file_for_another_users_machine_is_refused(clients: Clients) -> None:
    sent = clients["old"].machine.directory / "secret.txt"
    sent.write_bytes(CONTENT)
    with pytest.raises(CommandError, match=REFUSED):
        clients["old"].tailscale("file", "cp", str(sent), "his:")
