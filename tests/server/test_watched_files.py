"""Files that are read again when they change."""

import anyio
import pytest

from hatsize.server import watched_files
from hatsize.server.watched_files import watch

pytestmark = pytest.mark.anyio


@pytest.fixture
def looks(monkeypatch):
    """Looks follow one another at once."""
    monkeypatch.setattr(watched_files, "LOOK_EVERY", 0.01)


async def test_a_file_is_told_of_once_for_each_change(looks, tmp_path):
    path = tmp_path / "file"
    path.write_text("one")
    told = anyio.Event()
    count = 0

    async def changed():
        nonlocal count
        count += 1
        told.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch, lambda: [path], changed)
        await anyio.sleep(0.1)
        assert count == 0
        path.write_text("two, longer")
        with anyio.fail_after(5):
            await told.wait()
        await anyio.sleep(0.1)
        assert count == 1
        path.unlink()
        await anyio.sleep(0.2)
        assert count == 2
        tasks.cancel_scope.cancel()


async def test_another_file_in_its_place_is_no_change(looks, tmp_path):
    paths = [tmp_path / "one"]

    async def changed():
        raise AssertionError("nothing changed")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch, lambda: paths, changed)
        await anyio.sleep(0.1)
        (tmp_path / "other").write_text("x")
        paths[:] = [tmp_path / "other"]
        await anyio.sleep(0.1)
        tasks.cancel_scope.cancel()
