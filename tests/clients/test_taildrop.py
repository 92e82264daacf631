"""Taildrop: files go between machines of one user, and to nobody else, for as long as the settings let them."""

import os
import signal
from collections.abc import Iterator

import pytest

from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import Client
from tests.clients.lab.commands import CommandError
from tests.clients.lab.laboratory import Lab, laboratory
from tests.clients.lab.server import Hatsize

CONTENT = b"from hand to hand\n" * 5000
REFUSED = r"(?i)not .*(owned|permitted|found)|unknown target|can't send|different user|cannot send"
AT_ONCE = 10.0
Clients = dict[str, Client]


class Switched(Hatsize):
    """A server whose settings turn Taildrop on or off, also while it runs."""

    def prepare(self) -> None:
        self.settings = self.data.parent / "hatsize.toml"
        self.write(on=True)

    def write(self, *, on: bool) -> None:
        self.settings.write_text(f"taildrop.enabled = {str(on).lower()}\n")

    def turn(self, *, on: bool) -> None:
        self.write(on=on)
        os.kill(self.daemon.pid, signal.SIGHUP)

    def serve_argv(self) -> list[str]:
        return [*super().serve_argv(), "-c", str(self.settings)]


@pytest.fixture(scope="module")
def lab(programs: None) -> Iterator[Lab]:
    with laboratory(Switched) as fresh:
        yield fresh


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


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_turned_off_nobody_is_offered_as_a_target_until_it_is_turned_on(
    lab: Lab, clients: Clients, version: str
) -> None:
    assert isinstance(lab.server, Switched)
    sender, other = (clients[name] for name in (("old", "new") if version == OLDEST else ("new", "old")))

    def offered() -> bool:
        try:
            return other.name in sender.tailscale("file", "cp", "--targets")
        except CommandError:  # it says that file sharing is not enabled
            return False

    assert offered()
    lab.server.turn(on=False)
    sender.eventually(lambda: not offered(), "nobody is offered", within=AT_ONCE)
    lab.server.turn(on=True)
    sender.eventually(offered, "the other machine is offered again", within=AT_ONCE)
