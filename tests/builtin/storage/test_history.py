"""Any history of changes, stored and loaded again, is the state that lived through it."""

import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hatsize.builtin.storage.plugin import database_of
from hatsize.builtin.storage.store import SqlStorage
from hatsize.hooks.storage import ConflictError
from hatsize.tailnet.model import Node, User
from hatsize.tailnet.state import State
from hatsize.testing.contracts.storage_samples import a_node, a_tailnet, a_user, change

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
MAKERS = {User: a_user, Node: a_node}


class Histories(RuleBasedStateMachine):
    """Changes of users and nodes, restarts and late-comers; `state` lives through them, the storage remembers them."""

    url = ""

    def __init__(self):
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.storage = self.opened()
        self.state = State(1)
        self.follower = State(1)
        self.waiting = []

    def opened(self):
        storage = SqlStorage(database_of(self.url, Path(self.directory.name)))
        storage.open()
        return storage

    @initialize()
    def begin(self):
        self.queue(change(a_tailnet()))
        self.commit()

    def queue(self, made):
        self.waiting.append(made)
        self.state.apply(made)

    @rule()
    def commit(self):
        if self.waiting:
            self.state.seq = self.storage.commit(self.waiting, self.state.seq)
            self.waiting = []

    @rule(kind=st.sampled_from([User, Node]), many=st.integers(1, 3))
    def make(self, kind, many):
        first = self.state.next_id(kind)
        self.queue(change(*(MAKERS[kind](first + n) for n in range(many))))

    @rule(kind=st.sampled_from([User, Node]), pick=st.integers(0), text=TEXT)
    def replace(self, kind, pick, text):
        if there := list(self.state.all(kind)):
            one = there[pick % len(there)]
            fields = {"display_name": text} if kind is User else {"nl_key": text, "attributes": {text: [text, None]}}
            self.queue(change(msgspec.structs.replace(one, **fields)))

    @rule(pick=st.integers(0), tags=st.lists(TEXT, max_size=3), ipv6=st.booleans())
    def swap_names(self, pick, tags, ipv6):
        there = list(self.state.all(Node))
        if len(there) > 1:
            one, two = there[pick % len(there)], there[(pick + 1) % len(there)]
            self.queue(
                change(
                    msgspec.structs.replace(one, given_name=two.given_name, tags=tuple(tags)),
                    msgspec.structs.replace(two, given_name=one.given_name, ipv6=two.ipv6 if ipv6 else None),
                )
            )

    @rule(kind=st.sampled_from([User, Node]), pick=st.integers(0))
    def delete(self, kind, pick):
        if there := list(self.state.all(kind)):
            self.queue(change(deletes=[(kind.table, there[pick % len(there)].id)]))

    @precondition(lambda self: not self.waiting)
    @rule()
    def restart(self):
        self.storage.close()
        self.storage = self.opened()

    @rule()
    def come_late(self):
        with pytest.raises(ConflictError):
            self.storage.commit([change(deletes=[("user", 1)])], self.state.seq - 1)

    @precondition(lambda self: not self.waiting)
    @rule()
    def follow_the_log(self):
        for one in self.storage.changes(1, self.follower.seq):
            self.follower.apply(one)
        assert same(self.follower, self.state)

    @precondition(lambda self: not self.waiting)
    @invariant()
    def remembers_what_is_true(self):
        snapshot = self.storage.load(1)
        loaded = State.load(1, snapshot.seq, snapshot.records, snapshot.last_ids)
        assert same(loaded, self.state)
        assert [loaded.next_id(kind) for kind in MAKERS] == [self.state.next_id(kind) for kind in MAKERS]

    def teardown(self):
        self.storage.close()
        self.directory.cleanup()


def same(one, two):
    return one.seq == two.seq and all(one.table(kind) == two.table(kind) for kind in (User, Node))


QUICK = settings(max_examples=15, stateful_step_count=25, deadline=None, derandomize=True)

TestHistoriesOnSqlite = Histories.TestCase
TestHistoriesOnSqlite.settings = QUICK
TestHistoriesOnSqlite.pytestmark = [pytest.mark.slow]


@pytest.mark.postgres
def test_histories_on_postgresql(postgres_server):
    from hypothesis.stateful import run_state_machine_as_test

    class OnPostgres(Histories):
        def __init__(self):
            self.url = postgres_server.new_database()
            super().__init__()

    run_state_machine_as_test(OnPostgres, settings=settings(QUICK, max_examples=5))
