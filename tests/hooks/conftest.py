"""A server as plugins see it, without one."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hatsize.tailnet.model import Change, Tailnet
from hatsize.tailnet.state import State

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


class QuietServer:
    """Implements `hatsize.hooks.lifecycle.Server` and does nothing by itself."""

    url = "http://127.0.0.1:8080"
    data_dir = Path("/var/lib/hatsize")

    def __init__(self):
        tailnet = Tailnet(id=1, name="example", created=NOON)
        self.state = State.load(1, 0, [tailnet], {})

    def settings_of(self, plugin):
        return None

    def now(self):
        return NOON

    def is_online(self, node_id):
        return False

    def figures(self):
        return []

    async def run(self, command):
        change = command(self.state)
        if change is not None:
            self.state.apply(change)
        return change


@pytest.fixture
def quiet_server():
    return QuietServer()


@pytest.fixture
def a_change():
    def make(kind="user.created", seq=1):
        return Change(tailnet=1, kind=kind, at=NOON, seq=seq)

    return make
