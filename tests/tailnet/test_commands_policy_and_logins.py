"""Commands that put policies in force, and that decide on pending logins."""

from datetime import UTC, datetime, timedelta

import pytest

from hatsize.tailnet.commands.logins import approve_login, auth_id, checked_auth_id, reject_login
from hatsize.tailnet.commands.policy import policy_in_force, save_policy
from hatsize.tailnet.errors import InvalidError, NotFoundError, RefusedError
from hatsize.tailnet.model import Change, LoginState, PendingLogin
from hatsize.tailnet.state import State
from hatsize.wire.keys import ZERO_MACHINE_KEY, ZERO_NODE_KEY

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
AUTH_ID = auth_id(bytes(12))


def waiting(purpose: str = "ssh") -> State:
    login = PendingLogin(
        id=1, auth_id=AUTH_ID, purpose=purpose, machine_key=ZERO_MACHINE_KEY, node_key=ZERO_NODE_KEY, created=NOW,
        expires=NOW + timedelta(minutes=15),
    )  # fmt: skip
    state = State(1)
    state.apply(Change(tailnet=1, kind="login.started", puts=(login,), at=NOW))
    return state


def accept(document: str, state: State) -> list[str]:
    del state
    if document == "bad":
        raise InvalidError("line 1: no")
    return []


def test_the_newest_policy_is_in_force_and_the_former_one_is_kept():
    state = State(1)
    assert policy_in_force(state) is None
    for document in ("{}", '{"acls": []}'):
        state.apply(save_policy(state, document, accept, NOW, author="alice"))
    found = policy_in_force(state)
    assert found is not None
    assert (found.id, found.document, found.author) == (2, '{"acls": []}', "alice")


def test_a_policy_the_engine_refuses_is_not_saved():
    with pytest.raises(InvalidError, match="line 1"):
        save_policy(State(1), "bad", accept, NOW)


@pytest.mark.parametrize(
    ("decide", "outcome"), [(approve_login, LoginState.APPROVED), (reject_login, LoginState.REJECTED)]
)
def test_a_waiting_check_is_decided_once(decide, outcome):
    state = waiting()
    state.apply(decide(state, AUTH_ID, NOW))
    assert state.get(PendingLogin, 1).state is outcome
    with pytest.raises(NotFoundError):
        decide(state, AUTH_ID, NOW)


def test_a_registration_is_not_approved_without_a_user_but_can_be_rejected():
    state = waiting("register")
    with pytest.raises(RefusedError, match="--user"):
        approve_login(state, AUTH_ID, NOW)
    assert reject_login(state, AUTH_ID, NOW).kind == "login.decided"


def test_a_login_whose_time_is_over_is_not_there():
    with pytest.raises(NotFoundError, match="again"):
        approve_login(waiting(), AUTH_ID, NOW + timedelta(minutes=15))


@pytest.mark.parametrize("text", ["", "x", AUTH_ID[:-1], AUTH_ID + "0", AUTH_ID.upper(), AUTH_ID + "\n"])
def test_a_text_that_is_no_auth_id_is_told_so(text):
    with pytest.raises(InvalidError, match="copy it whole"):
        reject_login(waiting(), text, NOW)


def test_auth_ids_are_made_from_random_bytes():
    assert checked_auth_id(AUTH_ID) == AUTH_ID
    with pytest.raises(ValueError, match="12"):
        auth_id(b"short")
