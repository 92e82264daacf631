"""The contract of a DNS provider, as tests. Subclass it and say how yours is made:

class TestMine(DNSProviderContract):
    @pytest.fixture
    def provider(self):
        return Mine()
"""

from datetime import UTC, datetime

import pytest

from hatsize.hooks.dns import DNSProvider
from hatsize.tailnet.model import Change
from hatsize.tailnet.state import State
from hatsize.testing.contracts.storage_samples import a_node, one_of_each
from hatsize.wire import tailcfg
from hatsize.wire.tailcfg import DNSConfig, DNSRecord, Resolver

NOW = datetime(2026, 3, 4, tzinfo=UTC)
BEFORE = DNSConfig(
    Resolvers=(Resolver(Addr="192.0.2.53"),),
    Routes={"before.example.": (Resolver(Addr="192.0.2.54"),)},
    Domains=("before.example",),
    ExtraRecords=(DNSRecord(Name="x.before.example", Value="192.0.2.9"),),
)
"""What a provider that was asked before has said."""


class DNSProviderContract:
    """What every provider promises: it adds to what others said, changes nothing, and answers alike each time."""

    @pytest.fixture
    def provider(self) -> DNSProvider:
        raise NotImplementedError("the subclass supplies `provider`")

    @pytest.fixture
    def state(self) -> State:
        state = State(1)
        state.apply(Change(tailnet=1, kind="test", puts=tuple(one_of_each()), at=NOW))
        return state

    def test_the_answer_can_be_sent(self, provider: DNSProvider, state: State) -> None:
        config = provider.configure(state, a_node(), DNSConfig())
        assert tailcfg.decode(DNSConfig, tailcfg.encode(config)) is not None

    def test_it_leaves_in_what_was_said_before(self, provider: DNSProvider, state: State) -> None:
        config = provider.configure(state, a_node(), BEFORE)
        assert set(BEFORE.Resolvers) <= set(config.Resolvers)
        assert BEFORE.Routes.items() <= config.Routes.items()
        assert set(BEFORE.Domains) <= set(config.Domains)
        assert set(BEFORE.ExtraRecords) <= set(config.ExtraRecords)

    def test_the_same_question_has_the_same_answer(self, provider: DNSProvider, state: State) -> None:
        version = state.version
        first = provider.configure(state, a_node(), DNSConfig())
        assert provider.configure(state, a_node(), DNSConfig()) == first
        assert state.version == version
