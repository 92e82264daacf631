"""What the storage refused is known, and whether it takes changes again is found out by itself."""

import pytest

from hatsize.hooks.storage import ConflictError, StorageError
from hatsize.tailnet.commands.users import create_user
from hatsize.testing.memory import MemoryStorage
from hatsize.testing.tailnet import ScratchTailnet

pytestmark = pytest.mark.anyio


@pytest.fixture
def tailnet():
    return ScratchTailnet(storage=MemoryStorage())


async def refused(tailnet, words="the disk is full"):
    tailnet.storage.failing = words
    with pytest.raises(StorageError):
        await tailnet.live.run(lambda state: create_user(state, "otto", tailnet.clock()))


async def test_a_refusal_is_known_in_words(tailnet):
    assert tailnet.live.refusal == ""
    await refused(tailnet)
    assert tailnet.live.refusal == "the disk is full"


async def test_the_next_change_that_is_stored_ends_it(tailnet):
    await refused(tailnet)
    tailnet.storage.failing = ""
    await tailnet.add_user("otto")
    assert tailnet.live.refusal == ""


async def test_storing_reports_finds_out_whether_it_is_over_though_nothing_was_reported(tailnet):
    await refused(tailnet)
    with pytest.raises(StorageError):
        await tailnet.live.flush()
    assert tailnet.live.refusal == "the disk is full"
    tailnet.storage.failing = ""
    before = tailnet.state.seq
    await tailnet.live.flush()
    assert (tailnet.live.refusal, tailnet.state.seq) == ("", before + 1)
    await tailnet.live.flush()
    assert tailnet.state.seq == before + 1, "it is asked no more than needed"


async def test_another_process_being_quicker_is_no_refusal(tailnet, monkeypatch):
    commit, errors = tailnet.storage.commit, [ConflictError("gone on")]

    def late(changes, expect):
        if errors:
            raise errors.pop()
        return commit(changes, expect)

    monkeypatch.setattr(tailnet.storage, "commit", late)
    await tailnet.add_user("otto")
    assert tailnet.live.refusal == ""
