"""Refresh tokens are kept for all replicas, sealed, and those of a file of earlier releases are taken over."""

import json
import logging
from datetime import timedelta

import pytest

from hatsize.hooks.storage import StorageError
from hatsize.tailnet.model import Identity, PluginItem
from hatsize.testing.tailnet import ScratchTailnet
from hatsize.testing.web import plugin_server
from hatsize.wire.keys import PrivateKey
from hatsize_oidc.former_file import FILE, take_over
from hatsize_oidc.refresh_tokens import RefreshTokens, place_of

pytestmark = pytest.mark.anyio
ANN = Identity("work", "ann-1")
BOB = Identity("work", "bob-1")
EVE = Identity("workers", "eve-1")
KEY = bytes(range(32))


def told(tokens, provider="work"):
    return sorted((kept.identity.subject, kept.token) for kept in tokens.of(provider))


async def test_the_newest_token_of_each_is_kept_by_provider(tokens):
    await tokens.keep(ANN, "one")
    await tokens.keep(ANN, "two")
    await tokens.keep(BOB, "three")
    await tokens.keep(EVE, "four")
    assert told(tokens) == [("ann-1", "two"), ("bob-1", "three")]


async def test_they_are_there_after_a_restart_and_at_other_replicas(tailnet):
    key = PrivateKey.generate()

    def at(replica):
        server = plugin_server(replica, key)
        return RefreshTokens(server.store("oidc"), server.derived_key("oidc:refresh-tokens"), server.now)

    await at(tailnet).keep(ANN, "one")
    assert told(at(ScratchTailnet(storage=tailnet.storage))) == [("ann-1", "one")]


async def test_whoever_reads_the_database_learns_no_token(tokens, tailnet):
    await tokens.keep(ANN, "secret-token")
    [item] = tailnet.state.all(PluginItem)
    assert b"secret" not in item.value
    assert "secret" not in repr(tokens.of("work"))


async def test_a_token_is_of_no_use_in_anothers_place(tokens, view):
    await tokens.keep(BOB, "bobs")
    store = view.store("oidc")
    await store.put("token/" + place_of(ANN), store.get("token/" + place_of(BOB)))
    assert told(tokens) == [("bob-1", "bobs")]


async def test_those_sealed_with_another_key_are_told_of_and_replaced_by_a_login(view, caplog):
    await RefreshTokens(view.store("oidc"), bytes(32), view.now).keep(ANN, "one")
    tokens = RefreshTokens(view.store("oidc"), KEY, view.now)
    assert told(tokens) == []
    assert "1 refresh tokens of work were sealed with another key" in caplog.text
    await tokens.keep(ANN, "two")
    assert told(tokens) == [("ann-1", "two")]


async def test_what_is_known_of_an_older_token_changes_nothing_of_a_newer(tokens):
    await tokens.keep(ANN, "one")
    [former] = tokens.of("work")
    await tokens.keep(ANN, "two")
    await tokens.renew(former, "one-renewed")
    await tokens.forget(former)
    assert (told(tokens), tokens.is_newest(former)) == ([("ann-1", "two")], False)


async def test_a_subject_may_be_longer_than_a_key_and_of_any_characters(tokens):
    await tokens.keep(Identity("work", "x\n\ud800" * 300), "one")
    assert told(tokens) == [("x\n\ud800" * 300, "one")]


@pytest.fixture
def file(tmp_path):
    def write(content):
        (tmp_path / FILE).write_text(content)
        return tmp_path

    return write


LINES = json.dumps([{"provider": "work", "subject": name, "token": f"{name}-file"} for name in ("ann-1", "bob-1")])


async def test_a_file_of_an_earlier_release_is_taken_over_and_removed(tokens, file):
    folder = file(LINES)
    await take_over(folder, tokens)
    assert told(tokens) == [("ann-1", "ann-1-file"), ("bob-1", "bob-1-file")]
    assert list(folder.iterdir()) == []
    await take_over(folder, tokens)


async def test_what_came_with_a_login_since_is_newer_than_the_file(tokens, file):
    await tokens.keep(ANN, "ann-1-login")
    await take_over(file(LINES), tokens)
    assert told(tokens) == [("ann-1", "ann-1-login"), ("bob-1", "bob-1-file")]


async def test_a_file_that_cannot_be_stored_now_stays(tokens, file, tailnet, monkeypatch, caplog):
    def full(changes, expect):
        raise StorageError("the disk is full")

    monkeypatch.setattr(tailnet.storage, "commit", full)
    folder = file(LINES)
    await take_over(folder, tokens)
    assert "is not taken over before the next start: the disk is full" in caplog.text
    assert (folder / FILE).exists()


@pytest.mark.parametrize("content", ["", "{", json.dumps([{"provider": 7}])])
async def test_a_file_that_cannot_be_read_is_set_aside(tokens, file, caplog, content):
    folder = file(content)
    await take_over(folder, tokens)
    assert told(tokens) == []
    assert "cannot read" in caplog.text
    assert [path.name for path in folder.iterdir()] == [FILE + ".unreadable"]


async def test_no_token_is_in_a_log(tokens, file, caplog, tailnet):
    caplog.set_level(logging.DEBUG)
    tailnet.live.listen(lambda change: logging.getLogger("test").info("%s", change))
    await take_over(file(LINES), tokens)
    await tokens.forget(tokens.of("work")[0])
    assert "-file" not in caplog.text


async def test_the_age_of_a_token_is_known(tokens, tailnet):
    await tokens.keep(ANN, "one")
    [kept] = tokens.of("work")
    tailnet.clock.advance(minutes=10)
    assert not tokens.is_older(kept, timedelta(minutes=10))
    tailnet.clock.advance(seconds=1)
    assert tokens.is_older(kept, timedelta(minutes=10))
