"""Fixtures for tests of plugins. Loaded in every pytest run of an environment with hatsize, so imports wait for use."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from hatsize.testing.client import FakeClient
    from hatsize.testing.postgres import PostgresServer
    from hatsize.testing.server import RunningServer
    from hatsize.testing.tailnet import ScratchTailnet

# ruff: noqa: PLC0415 - what a pytest run does not use it need not import


@pytest.fixture
def tailnet() -> "ScratchTailnet":
    """A tailnet served from memory, with user `alice` and a clock that stands still."""
    from hatsize.testing.tailnet import ScratchTailnet

    return ScratchTailnet()


@pytest.fixture
def fake_client(tailnet: "ScratchTailnet") -> "Callable[[str], FakeClient]":
    """Makes clients of `tailnet` by host name, without sockets: `async with fake_client("desk") as client:`."""
    from hatsize.testing.client import FakeClient

    def make(hostname: str = "fake") -> "FakeClient":
        return FakeClient.direct(tailnet.app, hostname=hostname)

    return make


@pytest.fixture
async def waiting_login(
    fake_client: "Callable[[str], FakeClient]",
) -> AsyncIterator[Callable[..., Awaitable[str]]]:
    """Makes a client of `tailnet` wait for its user: `await waiting_login("desk")` is the login's auth id."""
    async with AsyncExitStack() as clients:

        async def wait(hostname: str = "desk") -> str:
            client = await clients.enter_async_context(fake_client(hostname))
            url: str = (await client.register("")).AuthURL
            return url.rpartition("/")[2]

        yield wait


@pytest.fixture
def hatsize_server(tmp_path: Path) -> "Callable[..., AbstractAsyncContextManager[RunningServer]]":
    """Runs a whole server on loopback: `async with hatsize_server({"plugins": …}) as server:`; again, it restarts."""
    from hatsize.testing.server import running_server

    def run(settings: dict[str, Any] | None = None) -> "AbstractAsyncContextManager[RunningServer]":
        return running_server(tmp_path / "hatsize", settings)

    return run


@pytest.fixture(scope="session")
def postgres_server() -> "Iterator[PostgresServer]":
    """A real PostgreSQL, shared by all tests of a run: `postgres_server.new_database()` is the URL of an empty place.

    Skipped with the reason where there is none, and failed where CI is true.
    """
    from hatsize.testing.postgres import NoPostgresError, PostgresServer

    with ExitStack() as until_the_end:
        try:
            server = until_the_end.enter_context(PostgresServer())
        except NoPostgresError as error:
            if os.environ.get("CI") == "true":
                raise
            pytest.skip(str(error))
        yield server
