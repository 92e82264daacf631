"""The contract of a check of API credentials, as tests. Subclass it and say how yours is made:

class TestMine(CredentialCheckerContract):
    @pytest.fixture
    def checker(self):
        return Mine()

    @pytest.fixture
    def credential(self):
        return "one that it knows"
"""

import logging

import pytest

from hatsize.hooks.auth import CredentialChecker
from hatsize.hooks.calls import PATIENCE
from hatsize.hooks.holding import Watched

UNKNOWN = ["", " ", "nonsense", "*", "' OR 1=1 --", "\0", "é", "x" * 10_000, "a.b.c", "null"]


class CredentialCheckerContract:
    """What every checker promises: a word for what it knows, and None for anything else."""

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.fixture
    def checker(self) -> CredentialChecker:
        raise NotImplementedError("the subclass supplies `checker`")

    @pytest.fixture
    def credential(self) -> str:
        """One that it knows."""
        raise NotImplementedError("the subclass supplies `credential`")

    def test_it_has_a_name(self, checker: CredentialChecker) -> None:
        assert checker.name

    @pytest.mark.anyio
    async def test_what_it_knows_is_somebodys(self, checker: CredentialChecker, credential: str) -> None:
        who = await checker.check(credential)
        assert who
        assert credential not in who, "it is kept with changes, where many may read it"

    @pytest.mark.anyio
    async def test_nothing_near_it_is(self, checker: CredentialChecker, credential: str) -> None:
        for other in (credential[:-1], credential + "x", credential.swapcase() + "x", *UNKNOWN):
            assert await checker.check(other) is None, other

    @pytest.mark.anyio
    async def test_no_credential_is_logged(
        self, checker: CredentialChecker, credential: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.DEBUG):
            await checker.check(credential)
        assert credential not in caplog.text

    @pytest.mark.anyio
    async def test_the_server_goes_on_meanwhile(self, checker: CredentialChecker, credential: str) -> None:
        watched = Watched(checker.check(credential))
        await watched
        assert watched.longest < PATIENCE, "let what blocks run in a thread"
