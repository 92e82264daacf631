"""The one place of change: durable before it is true, one after the other, and nothing that nodes tell is lost."""

import threading

import anyio
import pytest
from anyio import to_thread
from msgspec.structs import replace

from hatsize.hooks.storage import ConflictError, StorageError
from hatsize.live import writer
from hatsize.tailnet.commands.nodes import delete_node, rename_node
from hatsize.tailnet.commands.users import create_user
from hatsize.tailnet.model import Change, Node, User
from hatsize.testing.client import FakeClient
from hatsize.testing.memory import MemoryStorage
from hatsize.testing.tailnet import ScratchTailnet

pytestmark = pytest.mark.anyio


class SlowStorage(MemoryStorage):
    """Commits wait until they are let go."""

    def __init__(self):
        super().__init__()
        self.go = threading.Event()
        self.go.set()
        self.reached = threading.Event()

    def commit(self, changes, expect):
        self.reached.set()
        assert self.go.wait(10)
        return super().commit(changes, expect)

    def hold(self):
        self.go.clear()
        self.reached.clear()


@pytest.fixture
async def tailnet():
    """A tailnet with node 1, `desk`."""
    made = ScratchTailnet(storage=SlowStorage())
    await FakeClient.direct(made.app, hostname="desk").register(await made.auth_key())
    return made


def stored(tailnet, node_id=1):
    return next((row for row in tailnet.storage.load(1).records if isinstance(row, Node) and row.id == node_id), None)


def tell(tailnet, *endpoints, node_id=1):
    """The node tells its endpoints, as a lite update does."""
    node = replace(tailnet.state.get(Node, node_id), endpoints=endpoints)
    change = Change(tailnet=1, kind="node.reported", puts=(node,), at=tailnet.clock())
    tailnet.live._writer.report(change)


def rename(tailnet, name):
    return lambda state: rename_node(state, 1, name, tailnet.clock())


async def test_a_command_is_stored_before_it_is_true_and_told(tailnet):
    heard = []
    tailnet.live.listen(heard.append)
    tailnet.storage.hold()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tailnet.live.run, rename(tailnet, "table"))
        await to_thread.run_sync(tailnet.storage.reached.wait)
        assert (tailnet.node("desk").id, heard) == (1, [])
        tailnet.storage.go.set()
    assert tailnet.node("table").id == 1
    assert [(change.kind, change.seq) for change in heard] == [("node.updated", tailnet.state.seq)]
    assert stored(tailnet).given_name == "table"


async def test_a_command_that_changes_nothing_is_not_stored(tailnet):
    commits = tailnet.storage.commits
    assert await tailnet.live.run(lambda state: None) is None
    assert tailnet.storage.commits == commits


async def test_of_a_failed_command_nothing_is_true(tailnet):
    tailnet.storage.failing = "the disk is full"
    with pytest.raises(StorageError, match="the disk is full"):
        await tailnet.live.run(rename(tailnet, "table"))
    assert (tailnet.node("desk").id, stored(tailnet).given_name) == (1, "desk")


async def test_commands_run_one_after_the_other(tailnet):
    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(tailnet.live.run, lambda state, n=number: create_user(state, f"u{n}", tailnet.clock()))
    assert sorted(user.id for user in tailnet.state.all(User)) == list(range(1, 22))


async def test_when_another_process_was_quicker_the_command_is_computed_anew(tailnet):
    other = ScratchTailnet(storage=tailnet.storage)
    await other.add_user("bob")
    await tailnet.add_user("carol")
    names = {user.id: user.name for user in tailnet.state.all(User)}
    assert names == {1: "alice", 2: "bob", 3: "carol"}
    assert tailnet.state.seq == other.state.seq + 1


async def test_it_gives_up_when_others_are_always_quicker(tailnet, monkeypatch):
    def refuse(changes, expect):
        raise ConflictError("always")

    monkeypatch.setattr(tailnet.storage, "commit", refuse)
    monkeypatch.setattr(writer, "PATIENCE", 0.05)
    with pytest.raises(ConflictError):
        await tailnet.add_user("bob")


async def test_it_is_patient_with_one_that_is_quicker_again_and_again(tailnet, monkeypatch):
    commit, wins = tailnet.storage.commit, iter(range(50))
    other = ScratchTailnet(storage=tailnet.storage)

    def late(changes, expect):
        if (win := next(wins, None)) is not None:
            user = create_user(other.live.state, f"user{win}", other.clock())
            other.live.state.apply(replace(user, seq=commit([user], other.live.state.seq)))
            raise ConflictError("gone on")
        return commit(changes, expect)

    monkeypatch.setattr(tailnet.storage, "commit", late)
    await tailnet.add_user("bob")
    assert len(list(tailnet.state.all(User))) == 52


async def test_what_another_process_committed_is_taken_over_and_told(tailnet):
    other = ScratchTailnet(storage=tailnet.storage)
    await other.live.run(rename(other, "table"))
    heard = []
    tailnet.live.listen(heard.append)
    await tailnet.live.catch_up(tailnet.state.seq + 1)
    assert tailnet.node("table").id == 1
    assert [change.kind for change in heard] == ["node.updated"]


# What nodes report.


async def test_a_report_is_true_at_once_and_stored_with_the_next_batch(tailnet):
    commits = tailnet.storage.commits
    tell(tailnet, "192.0.2.1:1")
    tell(tailnet, "192.0.2.1:2")
    assert tailnet.node("desk").endpoints == ("192.0.2.1:2",)
    assert stored(tailnet).endpoints == ()
    await tailnet.live.flush()
    await tailnet.live.flush()
    assert stored(tailnet).endpoints == ("192.0.2.1:2",)
    assert tailnet.storage.commits == commits + 1


async def test_a_batch_that_was_not_stored_is_stored_later(tailnet):
    tell(tailnet, "192.0.2.1:1")
    tailnet.storage.failing = "the disk is full"
    with pytest.raises(StorageError):
        await tailnet.live.flush()
    tailnet.storage.failing = ""
    await tailnet.live.flush()
    assert stored(tailnet).endpoints == ("192.0.2.1:1",)


async def test_a_report_while_a_command_on_the_node_is_being_stored_is_not_lost(tailnet):
    tailnet.storage.hold()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tailnet.live.run, rename(tailnet, "table"))
        await to_thread.run_sync(tailnet.storage.reached.wait)
        tell(tailnet, "192.0.2.1:1")
        tailnet.storage.go.set()
    node = tailnet.node("table")
    assert node.endpoints == ("192.0.2.1:1",)
    await tailnet.live.flush()
    assert stored(tailnet) == node


async def test_a_report_while_reports_are_being_stored_is_not_lost(tailnet):
    tell(tailnet, "192.0.2.1:1")
    tailnet.storage.hold()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tailnet.live.flush)
        await to_thread.run_sync(tailnet.storage.reached.wait)
        tell(tailnet, "192.0.2.1:2")
        tailnet.storage.go.set()
    await tailnet.live.flush()
    assert stored(tailnet).endpoints == ("192.0.2.1:2",)


async def test_a_report_and_another_process_s_command_on_the_same_node_both_hold(tailnet):
    other = ScratchTailnet(storage=tailnet.storage)
    tell(tailnet, "192.0.2.1:1")
    await other.live.run(rename(other, "table"))
    await tailnet.live.flush()
    assert (stored(tailnet).given_name, stored(tailnet).endpoints) == ("table", ("192.0.2.1:1",))
    assert tailnet.node("table").endpoints == ("192.0.2.1:1",)


async def test_a_command_of_ours_does_not_undo_a_later_one_of_another_process(tailnet):
    other = ScratchTailnet(storage=tailnet.storage)
    tailnet.storage.hold()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tailnet.live.run, rename(tailnet, "table"))
        await to_thread.run_sync(tailnet.storage.reached.wait)
        tell(tailnet, "192.0.2.1:1")
        tailnet.storage.go.set()
    await other.live.run(rename(other, "chair"))
    await tailnet.live.flush()
    assert (stored(tailnet).given_name, stored(tailnet).endpoints) == ("chair", ("192.0.2.1:1",))


async def test_a_node_that_another_process_deleted_does_not_come_back_by_its_report(tailnet):
    other = ScratchTailnet(storage=tailnet.storage)
    tell(tailnet, "192.0.2.1:1")
    await other.live.run(lambda state: delete_node(state, 1, other.clock()))
    await tailnet.live.flush()
    assert stored(tailnet) is None
    assert not tailnet.state.table(Node)
