"""Messages to people: what can be one, and what becomes of them."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from hatsize.tailnet.commands.messages import LONGEST, MOST, delete_message, put_message
from hatsize.tailnet.errors import InvalidError, NotFoundError
from hatsize.tailnet.messages import Message, messages
from hatsize.tailnet.model import Change, Tailnet
from hatsize.tailnet.state import State

NOW = datetime(2026, 3, 4, tzinfo=UTC)
MESSAGE = Message(title="Repairs", text="Tonight.")


@pytest.fixture
def state():
    state = State(1)
    tailnet = Tailnet(id=1, name="net", created=NOW, settings={"other": 7})
    state.apply(Change(tailnet=1, kind="tailnet.created", puts=(tailnet,), at=NOW))
    return state


def test_a_message_is_kept_beside_other_settings(state):
    state.apply(put_message(state, "repairs", MESSAGE, NOW))
    assert messages(state) == {"repairs": MESSAGE}
    assert state.tailnet.settings["other"] == 7
    state.apply(delete_message(state, "repairs", NOW))
    assert not messages(state)
    assert state.tailnet.settings["other"] == 7


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"title": " "}, "needs a title"),
        ({"text": ""}, "needs a title and a text"),
        ({"text": "x" * LONGEST}, "longer than"),
        ({"severity": "fatal"}, "give high, medium, low"),
        ({"url": "https://example.com"}, "both a URL and a label"),
        ({"label": "Go"}, "both a URL and a label"),
        ({"url": "javascript:alert(1)", "label": "Go"}, "begins with https"),
        ({"url": "http://[", "label": "Go"}, "begins with https"),
    ],
)
def test_what_cannot_be_a_message_is_refused_with_the_mend(state, fields, words):
    with pytest.raises(InvalidError, match=words):
        put_message(state, "repairs", replace(MESSAGE, **fields), NOW)


@pytest.mark.parametrize("message_id", ["", "Repairs", "a b", "*", "-x", "x" * 64])
def test_what_cannot_be_an_id_is_refused(state, message_id):
    with pytest.raises(InvalidError, match="small letters"):
        put_message(state, message_id, MESSAGE, NOW)


def test_a_message_for_a_node_that_is_not_there_is_refused(state):
    with pytest.raises(NotFoundError, match="node 7"):
        put_message(state, "repairs", replace(MESSAGE, nodes=(7,)), NOW)


def test_one_that_does_not_exist_cannot_be_deleted(state):
    with pytest.raises(NotFoundError, match="messages list"):
        delete_message(state, "repairs", NOW)


def test_there_are_not_more_than_so_many(state):
    for number in range(MOST):
        state.apply(put_message(state, f"m{number}", MESSAGE, NOW))
    with pytest.raises(InvalidError, match="delete one"):
        put_message(state, "one-more", MESSAGE, NOW)
    assert put_message(state, "m1", MESSAGE, NOW)
