"""Settings that are changed at run time."""

from datetime import UTC, datetime

import pytest

from hatsize.tailnet.commands.messages import put_message
from hatsize.tailnet.commands.settings import change_settings
from hatsize.tailnet.errors import InvalidError
from hatsize.tailnet.messages import Message, messages
from hatsize.tailnet.model import Change, Tailnet
from hatsize.tailnet.settings import TailnetSettings, chosen_settings
from hatsize.tailnet.state import State

NOW = datetime(2026, 3, 4, tzinfo=UTC)
CONFIGURED = TailnetSettings(approval=False, key_days=180, auto_update=False)


@pytest.fixture
def state():
    state = State(1)
    tailnet = Tailnet(id=1, name="net.example", created=NOW)
    state.apply(Change(tailnet=1, kind="tailnet.created", puts=(tailnet,), at=NOW))
    return state


def after(state, **update):
    change = change_settings(state, TailnetSettings(**update), CONFIGURED, NOW)
    if change is not None:
        state.apply(change)
    return chosen_settings(state)


def test_what_is_given_is_chosen_and_the_rest_stays(state):
    assert after(state, approval=True, key_days=30) == TailnetSettings(approval=True, key_days=30)
    assert after(state, auto_update=True) == TailnetSettings(approval=True, key_days=30, auto_update=True)
    assert (
        after(state, policy_elsewhere=True, policy_link="https://git.example/p").policy_link == "https://git.example/p"
    )


def test_they_are_kept_under_their_names_in_the_settings_file_beside_what_else_is_kept(state):
    state.apply(put_message(state, "work", Message(title="Work", text="at night"), NOW))
    after(state, approval=True)
    assert state.tailnet.settings.keys() == {"messages", "node.approval"}
    assert messages(state).keys() == {"work"}


def test_what_is_set_as_it_is_configured_follows_the_configuration_again(state):
    after(state, approval=True, key_days=30)
    assert after(state, approval=False, key_days=180) == TailnetSettings()


def test_what_is_so_already_is_no_change(state):
    after(state, approval=True)
    for update in (TailnetSettings(approval=True), TailnetSettings(key_days=180), TailnetSettings()):
        assert change_settings(state, update, CONFIGURED, NOW) is None


@pytest.mark.parametrize(
    "update",
    [{"key_days": 0}, {"key_days": 36501}, {"policy_link": "javascript:alert(1)"}, {"policy_link": "http://["}],
)
def test_what_cannot_be_is_refused(state, update):
    with pytest.raises(InvalidError):
        after(state, **update)
