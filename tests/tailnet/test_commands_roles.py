"""Commands on the roles of users."""

from datetime import UTC, datetime

import pytest

from hatsize.tailnet.commands.identities import suspend_user
from hatsize.tailnet.commands.roles import checked_role, set_role
from hatsize.tailnet.commands.users import create_user
from hatsize.tailnet.errors import InvalidError, NotFoundError, RefusedError
from hatsize.tailnet.model import Role, User
from hatsize.tailnet.state import State

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.fixture
def state():
    state = State(1)
    for name in ("alice", "bob"):
        state.apply(create_user(state, name, NOW))
    return state


def roles(state):
    return {user.name: user.role for user in state.all(User)}


def test_a_user_gets_a_role_and_loses_it(state):
    state.apply(set_role(state, 1, "network-admin", NOW))
    assert roles(state) == {"alice": Role.NETWORK_ADMIN, "bob": Role.MEMBER}
    state.apply(set_role(state, 1, "member", NOW))
    assert roles(state)["alice"] is Role.MEMBER


def test_who_has_a_role_gets_it_by_no_change(state):
    assert set_role(state, 1, "member", NOW) is None


def test_a_new_owner_takes_the_place_of_the_old_one(state):
    state.apply(set_role(state, 1, "owner", NOW))
    state.apply(set_role(state, 2, "Owner ", NOW))
    assert roles(state) == {"alice": Role.ADMIN, "bob": Role.OWNER}


def test_an_owner_must_be_able_to_log_in(state):
    state.apply(suspend_user(state, 2, NOW, by="test", reason="left"))
    with pytest.raises(RefusedError, match="suspended"):
        set_role(state, 2, "owner", NOW)


def test_what_is_no_role_is_refused_with_those_there_are(state):
    with pytest.raises(InvalidError, match="owner, admin"):
        set_role(state, 1, "king", NOW)
    with pytest.raises(NotFoundError):
        set_role(state, 9, "admin", NOW)
    assert all(checked_role(role.value) is role for role in Role)
