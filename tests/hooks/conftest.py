"""A server as plugins see it, without one."""

import ast
import inspect
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hatsize.hooks import areas
from hatsize.tailnet.model import Change, Tailnet
from hatsize.tailnet.state import State

EXAMPLES_USE = """
import anyio
import click
import msgspec
from contextlib import asynccontextmanager
from dataclasses import replace
from hmac import compare_digest
from pydantic import BaseModel, SecretStr
from quart import Blueprint
from hatsize.hooks import hookimpl
from hatsize.hooks.auth import *
from hatsize.hooks.dns import PublishError
from hatsize.hooks.events import VOCABULARY
from hatsize.hooks.ipam import NoAddressError
from hatsize.hooks.metrics import *
from hatsize.hooks.storage import StorageError
from hatsize.tailnet.model import Identity, Node
from hatsize.wire.tailcfg import DNSRecord, Resolver
"""
HOOKS = {name: function for area in areas.AREAS for name, function in areas.hooks_of(area).items()}
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def example_of(hook):
    return inspect.cleandoc(inspect.getdoc(HOOKS[hook]).partition("Example:\n")[2])


def plugin_of(example):
    """The plugin that an example shows: what is marked belongs to it, the rest stands beside it."""
    tree = ast.parse(example)
    marked = [
        each for each in tree.body if any("hookimpl" in ast.unparse(m) for m in getattr(each, "decorator_list", []))
    ]
    beside = [each for each in tree.body if each not in marked]
    names = {"__name__": __name__}
    exec(EXAMPLES_USE, names)
    source = "\n\n".join(map(ast.unparse, beside)) + "\n\nclass Plugin:\n"
    exec(source + "\n".join("    " + line for each in marked for line in ast.unparse(each).splitlines()), names)
    return names["Plugin"]()


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


@pytest.fixture
def example():
    """The plugin that the example in a hook's docstring shows."""
    return lambda hook: plugin_of(example_of(hook))
