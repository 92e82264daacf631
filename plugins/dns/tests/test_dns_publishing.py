"""Challenges are remembered as long as they are published, and taken away in the end."""

import json
from datetime import UTC, datetime

import pytest

from hatsize.hooks.dns import PublishError
from hatsize.hooks.storage import StorageError
from hatsize.testing.contracts.storage_samples import a_node
from hatsize.testing.tailnet import ScratchTailnet
from hatsize.testing.web import plugin_server
from hatsize_dns.challenges import MOST_TRIES, Challenge, Challenges
from hatsize_dns.former_file import FILE, take_over
from hatsize_dns.publishing import Publisher, Removal

pytestmark = pytest.mark.anyio
NAME = "_acme-challenge.desk.net.example.com"


class Paper:
    """A backend that writes down what it is told."""

    def __init__(self):
        self.records = []
        self.trouble = None

    async def add(self, name, value):
        if self.trouble:
            raise self.trouble
        self.records.append((name, value))

    async def remove(self, name, value):
        if self.trouble:
            raise self.trouble
        self.records.remove((name, value))


@pytest.fixture
def paper():
    return Paper()


@pytest.fixture
def publish(challenges, paper):
    publisher = Publisher("paper", ["net.example.com"], paper, challenges, lambda: 100.0)

    async def one(value, name=NAME):
        await publisher.publish(a_node(), name, "TXT", value)

    return one


@pytest.fixture
def removal(challenges, paper, server, tailnet):
    """Removes what is due at a time."""

    async def at(now, backends=None):
        tailnet.clock.now = datetime.fromtimestamp(now, UTC)
        await Removal(challenges, {"paper": paper} if backends is None else backends, server).round()

    return at


async def test_what_is_published_is_taken_away_in_time_and_not_before(publish, removal, paper, challenges):
    await publish("one")
    await removal(99)
    assert paper.records == [(NAME, "one")]
    await removal(100)
    assert (paper.records, list(challenges)) == ([], [])


async def test_a_restart_forgets_nothing_and_another_replica_takes_away_too(publish, tailnet, paper):
    await publish("one")
    there = ScratchTailnet(storage=tailnet.storage)
    server, again = plugin_server(there), Challenges()
    again.keep_in(server.store("dns"))
    assert [each.value for each in again] == ["one"]
    await Removal(again, {"paper": paper}, server).round()
    assert (paper.records, list(again)) == ([], [])


async def test_one_replica_takes_away_for_all(publish, removal, paper, server, monkeypatch):
    await publish("one")
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(server, "is_ours", lambda duty: False)
        await removal(100)
        assert paper.records == [(NAME, "one")]
    await removal(100)
    assert paper.records == []


async def test_what_failed_half_way_is_taken_away_too(publish, challenges, paper):
    paper.trouble = PublishError("the line is cut")
    with pytest.raises(PublishError, match="the line is cut"):
        await publish("one")
    assert [each.value for each in challenges.due(100)] == ["one"]


async def test_a_removal_that_fails_is_tried_again(publish, removal, paper, challenges, caplog):
    await publish("one")
    paper.trouble = PublishError("the line is cut")
    await removal(100)
    assert "is still published: the line is cut" in caplog.text
    paper.trouble = None
    await removal(159)
    assert paper.records == [(NAME, "one")]
    await removal(160)
    assert (paper.records, list(challenges)) == ([], [])


async def test_but_not_for_ever(removal, challenges, caplog):
    await challenges.add(Challenge("paper", NAME, "one", 100.0, tries=MOST_TRIES - 1))
    await removal(100, backends={})
    assert list(challenges) == []
    assert "its publisher is not in the settings any more; given up, take it away by hand" in caplog.text


async def test_publishing_again_makes_it_last_longer(challenges):
    await challenges.add(Challenge("paper", NAME, "one", 100.0))
    await challenges.add(Challenge("paper", NAME, "one", 200.0))
    assert [each.until for each in challenges] == [200.0]


async def test_what_is_published_again_while_it_is_taken_away_is_remembered(publish, challenges):
    await challenges.add(Challenge("paper", NAME, "one", 50.0))
    (former,) = challenges
    await publish("one")
    await challenges.remove(former)
    await challenges.postpone(former, 60.0)
    assert [each.until for each in challenges] == [100.0]


@pytest.fixture
def full(tailnet, monkeypatch):
    """The storage takes nothing more."""

    def refuse(changes, expect):
        raise StorageError("the disk is full")

    return lambda: monkeypatch.setattr(tailnet.storage, "commit", refuse)


async def test_what_cannot_be_remembered_is_not_published(publish, paper, full):
    full()
    with pytest.raises(PublishError, match="the server cannot remember the record: the disk is full"):
        await publish("one")
    assert paper.records == []


async def test_what_cannot_be_forgotten_is_tried_again(publish, challenges, paper, server, full, caplog):
    await publish("one")
    full()
    await Removal(challenges, {"paper": paper}, server)._safely()
    assert "challenges stay published: the disk is full" in caplog.text
    assert [each.value for each in challenges] == ["one"]


async def test_what_is_kept_in_another_form_is_told_and_left(challenges, server, caplog):
    await server.store("dns").put("challenge/odd", b'{"name": "x"}')
    assert list(challenges) == []
    assert "challenge/odd is not used, what it held may stay published" in caplog.text


RECORD = {"publisher": "paper", "name": NAME, "value": "one", "until": 100.0, "tries": 2}


async def test_a_file_of_an_earlier_release_is_taken_over_and_removed(challenges, tmp_path):
    (tmp_path / FILE).write_text(json.dumps([RECORD]))
    await take_over(tmp_path, challenges)
    assert (list(challenges), list(tmp_path.iterdir())) == ([Challenge(**RECORD)], [])
    await take_over(tmp_path, challenges)


async def test_one_that_cannot_be_stored_now_stays(challenges, tmp_path, full, caplog):
    (tmp_path / FILE).write_text(json.dumps([RECORD]))
    full()
    await take_over(tmp_path, challenges)
    assert "is not taken over before the next start: the disk is full" in caplog.text
    assert (tmp_path / FILE).exists()


@pytest.mark.parametrize("content", ["", "[1]", '{"a": 1}', '[{"name": "x"}]', "\xff"])
async def test_one_that_cannot_be_read_is_told_and_left(challenges, tmp_path, content, caplog):
    (tmp_path / FILE).write_text(content, "latin-1")
    await take_over(tmp_path, challenges)
    assert list(challenges) == []
    assert "what it held may stay published" in caplog.text
