"""Fixtures for tests of plugins. Loaded in every pytest run of an environment with hatsize, so imports wait for use."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from hatsize.testing.tailnet import ScratchTailnet


@pytest.fixture
def tailnet() -> "ScratchTailnet":
    """A tailnet served from memory, with user `alice` and a clock that stands still."""
    from hatsize.testing.tailnet import ScratchTailnet  # noqa: PLC0415 - not in every pytest run

    return ScratchTailnet()
