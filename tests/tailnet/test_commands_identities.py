"""Who logs in becomes a user, is linked to one, or is shut out and let in again, as their provider says."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from hatsize.tailnet.commands.identities import (
    Profile,
    approve_user,
    note_login,
    restore_user,
    suspend_user,
    sync_user,
    user_of,
)
from hatsize.tailnet.commands.users import create_user
from hatsize.tailnet.errors import RefusedError
from hatsize.tailnet.model import Change, Identity, Node, Suspension, User, UserStatus
from hatsize.tailnet.state import State
from hatsize.wire.keys import ZERO_DISCO_KEY, machine_key, node_key
from hatsize.wire.tailcfg import Hostinfo

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
LATER = NOW + timedelta(days=90)
ANN = Identity("work", "1")
PROFILE = Profile("ann", "ann@example.com", "Ann", groups=("group:ops@example.com",))
REASON = "is not in a group that may log in"


@pytest.fixture
def state():
    """Ann, who has logged in."""
    state = State(1)
    state.apply(note_login(state, ANN, PROFILE, NOW))
    return state


def a_node(number, user_id=1, tags=(), expiry=LATER):
    return Node(
        id=number, stable_id=f"n{number}", machine_key=machine_key(bytes(32)), node_key=node_key(bytes([number] * 32)),
        disco_key=ZERO_DISCO_KEY, given_name=f"node-{number}", user_id=user_id, tags=tags, key_expiry=expiry,
        hostinfo=Hostinfo(), created=NOW,
    )  # fmt: skip


def put(state, *records):
    state.apply(Change(tailnet=1, kind="node.registered", puts=records, at=NOW))


def ann(state):
    return user_of(state, ANN)


def shut_out(state, by="work"):
    state.apply(suspend_user(state, 1, NOW, by=by, reason=REASON))


def test_a_suspended_user_is_shut_out_with_their_own_nodes_and_it_is_known_by_whom_and_why(state):
    put(state, a_node(1), a_node(2, tags=("tag:server",)), a_node(3, user_id=2), a_node(4, expiry=None))
    shut_out(state)
    assert (ann(state).status, ann(state).suspension) == (UserStatus.SUSPENDED, Suspension("work", REASON, NOW))
    assert [state.get(Node, number).key_expiry for number in (1, 2, 3, 4)] == [NOW, LATER, LATER, NOW]


def test_a_key_that_has_expired_keeps_its_time(state):
    long_ago = NOW - timedelta(days=1)
    put(state, a_node(1, expiry=long_ago))
    shut_out(state)
    assert state.get(Node, 1).key_expiry == long_ago


def test_who_is_shut_out_stays_so_on_the_first_terms(state):
    shut_out(state, by="administrator")
    assert suspend_user(state, 1, NOW, by="work", reason="another") is None


def test_the_provider_that_shut_somebody_out_lets_them_in_again_when_they_log_in(state):
    shut_out(state)
    change = note_login(state, ANN, PROFILE, NOW)
    state.apply(change)
    assert change.kind == "user.restored"
    assert (ann(state).status, ann(state).suspension) == (UserStatus.ACTIVE, None)


def test_nobody_elses_login_does(state):
    shut_out(state, by="administrator")
    with pytest.raises(RefusedError, match=f"'ann' is suspended .{REASON}.: ask an administrator"):
        note_login(state, ANN, PROFILE, NOW)


def test_an_administrator_restores_a_user(state):
    assert restore_user(state, 1, NOW, by="admin") is None
    shut_out(state)
    state.apply(restore_user(state, 1, NOW, by="admin"))
    assert note_login(state, ANN, PROFILE, NOW) is None


def test_a_user_who_waits_for_it_is_approved_and_nobody_else(state):
    assert approve_user(state, 1, NOW) is None
    waiting = replace(ann(state), status=UserStatus.NEEDS_APPROVAL)
    state.apply(Change(tailnet=1, kind="user.updated", puts=(waiting,), at=NOW))
    state.apply(approve_user(state, 1, NOW))
    assert ann(state).status is UserStatus.ACTIVE
    shut_out(state)
    assert approve_user(state, 1, NOW) is None


def test_profile_and_groups_are_brought_up_to_date_without_a_login(state):
    state.apply(sync_user(state, ANN, replace_profile(groups=(), display_name="Ann B."), NOW))
    assert (ann(state).groups, ann(state).display_name) == ((), "Ann B.")
    assert sync_user(state, ANN, replace_profile(groups=(), display_name="Ann B."), NOW) is None


def test_a_provider_that_vouches_again_lets_in_whom_it_had_shut_out(state):
    shut_out(state)
    state.apply(sync_user(state, ANN, PROFILE, NOW))
    assert ann(state).status is UserStatus.ACTIVE


def test_a_sync_does_not_lift_what_an_administrator_has_put(state):
    shut_out(state, by="administrator")
    state.apply(sync_user(state, ANN, replace_profile(groups=()), NOW))
    assert (ann(state).status, ann(state).groups) == (UserStatus.SUSPENDED, ())


def test_a_sync_makes_no_user(state):
    assert sync_user(state, Identity("work", "2"), PROFILE, NOW) is None


LINK = Profile("carol", "carol@example.com", link_email="Carol@example.com")


@pytest.fixture
def with_carol():
    """A user made by an administrator, or by an import, whose e-mail a provider vouches for."""
    state = State(1)
    state.apply(create_user(state, "carol", NOW, email="carol@example.com"))
    return state


def test_a_first_login_is_linked_by_an_email_the_provider_vouches_for(with_carol):
    with_carol.apply(note_login(with_carol, ANN, LINK, NOW))
    [carol] = with_carol.all(User)
    assert (carol.name, carol.identities) == ("carol", (ANN,))


def test_without_that_word_it_is_another_user(with_carol):
    with_carol.apply(note_login(with_carol, ANN, Profile("carol", "carol@example.com"), NOW))
    assert [user.name for user in with_carol.all(User)] == ["carol", "carol-2"]


def test_an_address_that_was_given_to_another_account_of_the_provider_links_nobody(with_carol):
    with_carol.apply(note_login(with_carol, Identity("work", "0"), LINK, NOW))
    with_carol.apply(note_login(with_carol, ANN, LINK, NOW))
    assert [user.identities for user in with_carol.all(User)] == [(Identity("work", "0"),), (ANN,)]


def test_a_suspended_user_is_not_taken_over_by_a_link(with_carol):
    with_carol.apply(suspend_user(with_carol, 1, NOW, by="administrator", reason="left"))
    with pytest.raises(RefusedError, match="left"):
        note_login(with_carol, ANN, LINK, NOW)


def replace_profile(**fields):
    return Profile(**{"name": "ann", "email": "ann@example.com", "display_name": "Ann", **fields})
