"""The plugin's publishers keep the contract of publishers: our own zones, and elsewhere."""

from types import SimpleNamespace

import pytest

from hatsize.tailnet.state import State
from hatsize.testing.contracts.challenges import ChallengePublisherContract
from hatsize_dns.building import ZoneBuilder, publishers
from hatsize_dns.publishing import Publisher
from hatsize_dns.settings import Settings

SETTINGS = Settings(zones=["net.example.com", "100.64.0.0/16", {"name": "inner.example.com", "for": ["tailnet"]}])


class TestOwnZones(ChallengePublisherContract):
    @pytest.fixture
    def publisher(self, challenges):
        (own,) = publishers(SETTINGS, challenges)
        return own

    @pytest.fixture
    def published(self, challenges, questions):
        server = SimpleNamespace(state=State(1))
        ask = questions(*ZoneBuilder(SETTINGS, server, challenges, lambda: None).zones(lambda: 1))

        async def values(name):
            return [value.strip('"') for value in ask.values(name, "TXT")]

        return values

    def test_only_what_everybody_may_ask_for_is_its_own(self, publisher):
        assert publisher.domains() == ["net.example.com"]


class Paper:
    """A backend like a name server: a set of values for each name."""

    def __init__(self):
        self.records = {}

    async def add(self, name, value):
        self.records.setdefault(name, set()).add(value)

    async def remove(self, name, value):
        self.records[name].discard(value)


class TestElsewhere(ChallengePublisherContract):
    @pytest.fixture
    def publisher(self, challenges):
        return Publisher("paper", ["net.example.com"], Paper(), challenges, lambda: 0.0)

    @pytest.fixture
    def published(self, publisher):
        async def values(name):
            return publisher.backend.records[name]

        return values
