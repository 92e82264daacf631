"""Commands on users."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hatsize.tailnet.commands.credentials import create_auth_key
from hatsize.tailnet.commands.oauth import create_oauth_client
from hatsize.tailnet.commands.users import (
    checked_name,
    create_user,
    delete_user,
    describe_user,
    find_users,
    rename_user,
    user_named,
)
from hatsize.tailnet.errors import AlreadyExistsError, InvalidError, NotFoundError, RefusedError
from hatsize.tailnet.model import Credential, CredentialKind, Identity, Node, User
from hatsize.tailnet.secrets import mint
from hatsize.tailnet.state import State
from hatsize.wire.keys import ZERO_DISCO_KEY, machine_key, node_key
from hatsize.wire.tailcfg import Hostinfo

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def state_with(*names: str) -> State:
    state = State(1)
    for name in names:
        state.apply(create_user(state, name, NOW))
    return state


def add_node(state: State, user_id: int, tags: tuple[str, ...] = ()) -> None:
    node = Node(
        id=1, stable_id="n1", machine_key=machine_key(bytes(32)), node_key=node_key(bytes(32)),
        disco_key=ZERO_DISCO_KEY, given_name="laptop", user_id=user_id, tags=tags, hostinfo=Hostinfo(), created=NOW,
    )  # fmt: skip
    state.apply(replace(create_user(state, "maker", NOW), kind="node.registered", puts=(node,)))


def test_a_user_is_made_with_what_is_told_of_them():
    state = State(1)
    change = create_user(state, "alice", NOW, display_name="Alice", email="alice@example.com")
    state.apply(change)
    assert change.kind == "user.created"
    assert user_named(state, "alice").login_name == "alice@example.com"


@pytest.mark.parametrize("name", ["alice", "alice@"])
def test_a_user_is_found_by_name_and_as_policies_write_it(name):
    assert user_named(state_with("bob", "alice"), name).id == 2


def test_nobody_is_found_by_no_name():
    with pytest.raises(NotFoundError):
        user_named(state_with("alice"), "")


def test_two_users_cannot_have_one_name():
    with pytest.raises(AlreadyExistsError, match="alice"):
        create_user(state_with("alice"), "alice", NOW)


def test_two_users_cannot_be_one_to_policies():
    state = State(1)
    state.apply(create_user(state, "alice@example.com", NOW))
    with pytest.raises(AlreadyExistsError, match="alice@example"):
        create_user(state, "another", NOW, email="alice@example.com")


@pytest.mark.parametrize("name", ["", "a", "1alice", "al ice", "a@b@c", "alice/..", "-rf", "ali\nce"])
def test_a_name_that_would_be_trouble_is_refused_with_the_mend(name):
    with pytest.raises(InvalidError, match="use two or more"):
        create_user(State(1), name, NOW)


@settings(deadline=None)
@given(st.text())
def test_any_text_is_a_name_or_refused(text):
    try:
        assert checked_name(text) == text
    except InvalidError:
        return


def test_an_email_must_be_one():
    with pytest.raises(InvalidError, match="e-mail"):
        create_user(State(1), "alice", NOW, email="alice")


def test_a_user_is_renamed():
    state = state_with("alice")
    state.apply(rename_user(state, 1, "bob", NOW))
    assert user_named(state, "bob").id == 1
    assert "alice" not in state.index.user_by_name


def test_a_user_keeps_its_own_name_and_cannot_take_another_ones():
    state = state_with("alice", "bob")
    assert rename_user(state, 1, "alice", NOW)
    with pytest.raises(AlreadyExistsError):
        rename_user(state, 1, "bob", NOW)


def test_a_user_of_an_identity_provider_is_not_renamed_here():
    state = state_with("alice")
    known = replace(state.get(User, 1), identities=(Identity("https://id.example", "42"),))
    state.apply(replace(create_user(state, "other", NOW), puts=(known,)))
    with pytest.raises(RefusedError, match="rename them there"):
        rename_user(state, 1, "bob", NOW)


def test_a_user_goes_with_their_keys():
    state = state_with("alice", "bob")
    secret = mint(CredentialKind.AUTH_KEY, bytes(range(44)))
    state.apply(create_auth_key(state, secret, NOW, user_id=1))
    state.apply(delete_user(state, 1, NOW))
    assert [user.name for user in state.all(User)] == ["bob"]
    assert not list(state.all(Credential))


def test_an_oauth_client_outlives_the_user_who_made_it():
    state = state_with("alice")
    secret = mint(CredentialKind.OAUTH_CLIENT, bytes(range(44)))
    state.apply(create_oauth_client(state, secret, NOW, scopes=["dns"], user_id=1))
    state.apply(delete_user(state, 1, NOW))
    assert state.get(Credential, 1).user_id is None


def test_a_user_who_owns_nodes_stays_and_the_nodes_are_named():
    state = state_with("alice")
    add_node(state, 1)
    with pytest.raises(RefusedError, match="laptop"):
        delete_user(state, 1, NOW)


def test_a_tagged_node_outlives_the_user_who_made_it():
    state = state_with("alice")
    add_node(state, 1, tags=("tag:server",))
    state.apply(delete_user(state, 1, NOW))
    assert state.get(Node, 1).user_id is None


def test_what_does_not_exist_is_named():
    with pytest.raises(NotFoundError, match="user 9 does not exist"):
        delete_user(State(1), 9, NOW)


@pytest.mark.parametrize(
    ("criteria", "names"),
    [({}, ["bob", "alice"]), ({"name": "alice"}, ["alice"]), ({"user_id": 1}, ["bob"]), ({"email": "x@y"}, [])],
)
def test_users_are_listed_by_id_and_by_one_criterion(criteria, names):
    assert [user.name for user in find_users(state_with("bob", "alice"), **criteria)] == names


def test_what_is_shown_of_a_user_changes_and_the_rest_stays():
    state = state_with("alice")
    state.apply(describe_user(state, 1, NOW, display_name="Alice", email="alice@example.com"))
    state.apply(describe_user(state, 1, NOW, display_name=""))
    user = state.get(User, 1)
    assert (user.display_name, user.email, user.name) == ("", "alice@example.com", "alice")
    assert describe_user(state, 1, NOW, email="alice@example.com") is None


def test_an_e_mail_address_that_another_has_is_refused():
    state = state_with("alice", "bob")
    state.apply(describe_user(state, 1, NOW, email="a@example.com"))
    with pytest.raises(AlreadyExistsError):
        describe_user(state, 2, NOW, email="a@example.com")
    with pytest.raises(InvalidError):
        describe_user(state, 2, NOW, email="nonsense")


def test_whom_a_provider_describes_is_described_there():
    state = state_with("alice")
    user = replace(state.get(User, 1), identities=(Identity("corp", "1"),))
    state.apply(replace(create_user(state, "other", NOW), puts=(user,)))
    with pytest.raises(RefusedError, match="corp"):
        describe_user(state, 1, NOW, display_name="x")
