"""What the tests of all plugins here have in common."""  # noqa: INP001 - tests are no package

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """The server's: its transports are asyncio's, whatever else is installed."""
    return "asyncio"
