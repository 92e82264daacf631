"""Fixtures of the scenarios with real clients: every test in this folder carries the mark `clients`."""

import importlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.lab import binaries, requirements
from tests.clients.lab.laboratory import Lab, laboratory
from tests.clients.lab.server import ControlServer

HERE = Path(__file__).parent
TIMEOUT = 300  # a wait inside a test fails before that, and says what it waited for


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.clients)
            item.add_marker(pytest.mark.timeout(TIMEOUT))


@pytest.fixture(scope="session")
def programs() -> None:
    """tailscaled of every version, or a skipped test where they cannot run (a failed one in CI)."""
    if lacks := requirements.missing():
        reason = f"real-client tests need {', '.join(lacks)}"
        if requirements.required():
            pytest.fail(reason)
        pytest.skip(reason)
    binaries.install()


@pytest.fixture(scope="module")
def lab(programs: None) -> Iterator[Lab]:
    """A fresh network with a fresh server, for one test module."""
    with laboratory(_server_class()) as fresh:
        yield fresh


def _server_class() -> type[ControlServer]:
    """Hatsize, or `module:Class` of another server in HATSIZE_LAB_SERVER, to check the lab itself against it."""
    module, name = os.environ.get("HATSIZE_LAB_SERVER", "tests.clients.lab.server:Hatsize").split(":")
    server_class: type[ControlServer] = getattr(importlib.import_module(module), name)
    return server_class
