"""How long pending logins wait, and how many of them."""

from datetime import UTC, datetime, timedelta

import pytest

from hatsize.tailnet.commands.register import start_login
from hatsize.tailnet.commands.waiting import WaitingRoom
from hatsize.tailnet.model import PendingLogin, Tailnet
from hatsize.tailnet.state import State
from hatsize.wire.keys import PrivateKey, machine_key, node_key
from hatsize.wire.tailcfg import RegisterRequest

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.fixture
def state():
    return State.load(1, 0, [Tailnet(id=1, name="example", created=NOON)], {})


def ask(state, number, now, room):
    """Another machine asks to join; the login ids that wait then."""
    request = RegisterRequest(NodeKey=node_key(PrivateKey.generate().public))
    machine = machine_key(PrivateKey.generate().public)
    state.apply(start_login(state, machine, request, f"hskey-authreq-{number:024x}", now, room=room))
    return sorted(login.id for login in state.all(PendingLogin))


def test_the_oldest_gives_way_when_too_many_wait(state):
    room = WaitingRoom(limit=2)
    assert [ask(state, number, NOON, room) for number in range(4)] == [[1], [1, 2], [2, 3], [3, 4]]


def test_a_login_waits_for_its_lifetime(state):
    room = WaitingRoom(lifetime=timedelta(minutes=5))
    ask(state, 1, NOON, room)
    assert ask(state, 2, NOON + timedelta(minutes=4, seconds=59), room) == [1, 2]
    assert ask(state, 3, NOON + timedelta(minutes=5), room) == [2, 3]
