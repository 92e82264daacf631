"""The contract of a publisher of ACME challenges, as tests. Subclass it and say how yours is made and seen:

class TestMine(ChallengePublisherContract):
    @pytest.fixture
    def publisher(self):
        return Mine()

    @pytest.fixture
    def published(self, publisher):
        async def values(name):
            return publisher.records[name]

        return values
"""

from collections.abc import Awaitable, Callable, Collection

import anyio
import pytest

from hatsize.hooks.dns import ChallengePublisher, publishes
from hatsize.testing.contracts.storage_samples import a_node

Published = Callable[[str], Awaitable[Collection[str]]]
"""The values that a name has, for somebody who asks the world."""


class ChallengePublisherContract:
    """What every publisher promises: what it was given is there when it returns, beside what was there before."""

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.fixture
    def publisher(self) -> ChallengePublisher:
        raise NotImplementedError("the subclass supplies `publisher`")

    @pytest.fixture
    def published(self) -> Published:
        raise NotImplementedError("the subclass supplies `published`")

    @pytest.fixture
    def challenge(self, publisher: ChallengePublisher) -> str:
        """A name that is the publisher's to publish."""
        return f"_acme-challenge.desk.{publisher.domains()[0]}"

    def test_its_domains_are_plain_names(self, publisher: ChallengePublisher) -> None:
        for domain in publisher.domains():
            assert domain == domain.lower().strip(".")
            assert publishes(publisher, f"desk.{domain}")
        assert list(publisher.domains()) == list(publisher.domains())

    @pytest.mark.anyio
    async def test_a_challenge_is_there_when_it_was_published(
        self, publisher: ChallengePublisher, published: Published, challenge: str
    ) -> None:
        await publisher.publish(a_node(), challenge, "TXT", "value-1")
        assert "value-1" in await published(challenge)

    @pytest.mark.anyio
    async def test_challenges_stand_side_by_side(
        self, publisher: ChallengePublisher, published: Published, challenge: str
    ) -> None:
        async with anyio.create_task_group() as tasks:
            for value in ("value-1", "value-2", "value-3"):
                tasks.start_soon(publisher.publish, a_node(), challenge, "TXT", value)
        assert set(await published(challenge)) == {"value-1", "value-2", "value-3"}

    @pytest.mark.anyio
    async def test_publishing_again_changes_nothing(
        self, publisher: ChallengePublisher, published: Published, challenge: str
    ) -> None:
        for _ in range(2):
            await publisher.publish(a_node(), challenge, "TXT", "value-1")
        assert list(await published(challenge)) == ["value-1"]
