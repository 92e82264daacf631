"""A policy in a file: what it says is in force, and an edit that cannot be is told."""

import os
from pathlib import Path

import anyio
import pytest

from hatsize.policy.errors import PolicyError
from hatsize.server import policy_file
from hatsize.server.policy_file import PolicyFile
from hatsize.tailnet.model import PolicyVersion

pytestmark = pytest.mark.anyio
OPEN, CLOSED = '{"grants": [{"src": ["*"], "dst": ["*"], "ip": ["*"]}]}', '{"grants": []}'
FAILING = '{"grants": [], "tests": [{"src": "100.64.0.1", "accept": ["100.64.0.2:22"]}]}'


@pytest.fixture
def path(tmp_path) -> Path:
    written = tmp_path / "policy.hujson"
    written.write_text(OPEN)
    return written


@pytest.fixture
def file(tailnet, path, monkeypatch) -> PolicyFile:
    monkeypatch.setattr(policy_file, "LOOK_EVERY", 0.01)
    return PolicyFile(tailnet.live, path)


@pytest.fixture
async def followed(file):
    """The file, loaded and followed."""
    await file.load()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(file.follow)
        yield file
        tasks.cancel_scope.cancel()


async def becomes(true):
    with anyio.fail_after(5):
        while not true():  # noqa: ASYNC110 - what is waited for has no event
            await anyio.sleep(0.005)


def versions(tailnet):
    return list(tailnet.state.all(PolicyVersion))


async def test_what_the_file_says_is_in_force(tailnet, file):
    await file.load()
    assert tailnet.live.policy_document == OPEN
    assert versions(tailnet)[0].author == "file policy.hujson"


async def test_a_file_that_says_what_is_in_force_is_no_new_version(tailnet, file):
    await file.load()
    await file.load()
    assert len(versions(tailnet)) == 1


@pytest.mark.parametrize("text", ['{"grants": [', FAILING, '{"grantz": []}'])
async def test_a_policy_that_is_refused_is_not_taken_at_the_start(tailnet, path, file, text):
    path.write_text(text)
    with pytest.raises(PolicyError):
        await file.load()
    assert versions(tailnet) == []


async def test_a_file_that_is_no_text_or_not_there_is_told(path, file):
    path.write_bytes(b'{"grants": [\xff]}')
    with pytest.raises(PolicyError, match="byte 12"):
        await file.load()
    path.unlink()
    with pytest.raises(FileNotFoundError):
        await file.load()


async def test_a_change_comes_into_force(tailnet, path, followed):
    path.write_text(CLOSED)
    await becomes(lambda: tailnet.live.policy_document == CLOSED)
    assert followed.problem == ""


async def test_a_file_that_another_takes_the_place_of_comes_into_force(tailnet, path, followed):
    new = path.with_suffix(".new")
    new.write_text(CLOSED)
    os.utime(new, ns=(0, path.stat().st_mtime_ns))
    new.replace(path)
    await becomes(lambda: tailnet.live.policy_document == CLOSED)


@pytest.mark.parametrize(
    ("text", "told"),
    [('{"grants": [', "line 1, column"), (FAILING, '100.64.0.1: address "100.64.0.2:22": want: Accept')],
)
async def test_a_bad_edit_leaves_the_former_policy_and_says_so(tailnet, path, followed, caplog, text, told):
    path.write_text(text)
    await becomes(lambda: followed.problem)
    assert tailnet.live.policy_document == OPEN
    assert told in followed.problem
    assert followed.problem in caplog.text
    path.write_text(OPEN)
    await becomes(lambda: not followed.problem)


async def test_a_file_that_vanishes_and_comes_back_is_followed(tailnet, path, followed):
    path.unlink()
    await becomes(lambda: "cannot be read" in followed.problem)
    assert tailnet.live.policy_document == OPEN
    path.write_text(CLOSED)
    await becomes(lambda: tailnet.live.policy_document == CLOSED)


async def test_an_error_of_an_engine_is_told_by_its_id(tailnet, path, file, monkeypatch):
    def broken(document, state):
        raise ZeroDivisionError

    monkeypatch.setattr(tailnet.services.policy, "check", broken)
    await file.reload()
    assert "look for bug=" in file.problem
