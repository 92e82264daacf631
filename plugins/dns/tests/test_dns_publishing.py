"""Challenges are remembered as long as they are published, and taken away in the end."""

import pytest

from hatsize.hooks.dns import PublishError
from hatsize.testing.contracts.storage_samples import a_node
from hatsize_dns.challenges import MOST_TRIES, Challenge, Challenges
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
def file(tmp_path):
    return tmp_path / "dns" / "challenges.json"


@pytest.fixture
def challenges(file):
    return Challenges(file)


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
def removal(challenges, paper):
    """Removes what is due at a time."""

    async def at(now, backends=None):
        await Removal(challenges, {"paper": paper} if backends is None else backends, lambda: now).round()

    return at


async def test_what_is_published_is_taken_away_in_time_and_not_before(publish, removal, paper, challenges):
    await publish("one")
    await removal(99)
    assert paper.records == [(NAME, "one")]
    await removal(100)
    assert (paper.records, list(challenges)) == ([], [])


async def test_a_restart_forgets_nothing(publish, file, paper):
    await publish("one")
    again = Challenges(file)
    await Removal(again, {"paper": paper}, lambda: 100).round()
    assert (paper.records, list(Challenges(file))) == ([], [])


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
    challenges.add(Challenge("paper", NAME, "one", 100.0, tries=MOST_TRIES - 1))
    await removal(100, backends={})
    assert list(challenges) == []
    assert "its publisher is not in the settings any more; given up, take it away by hand" in caplog.text


async def test_publishing_again_makes_it_last_longer(challenges):
    challenges.add(Challenge("paper", NAME, "one", 100.0))
    challenges.add(Challenge("paper", NAME, "one", 200.0))
    assert [each.until for each in challenges] == [200.0]


async def test_what_cannot_be_remembered_is_not_published(publish, paper, file):
    file.parent.write_text("in the way")
    with pytest.raises(PublishError, match="the server cannot remember the record"):
        await publish("one")
    assert paper.records == []


@pytest.mark.parametrize("content", ["", "[1]", '{"a": 1}', '[{"name": "x"}]', "\xff"])
async def test_a_file_that_cannot_be_read_is_told_and_left(file, content, caplog):
    file.parent.mkdir()
    file.write_text(content, "latin-1")
    assert list(Challenges(file)) == []
    assert "what it held may stay published" in caplog.text
