"""Commands on auth keys and API keys."""

from datetime import UTC, datetime, timedelta

import pytest

from hatsize.tailnet.commands.credentials import (
    create_api_key,
    create_auth_key,
    credential_shown_as,
    credentials,
    delete_credential,
    expire_credential,
    note_use,
)
from hatsize.tailnet.commands.users import create_user
from hatsize.tailnet.errors import InvalidError, NotAllowedError, NotFoundError
from hatsize.tailnet.model import Credential, CredentialKind
from hatsize.tailnet.secrets import mint, presented
from hatsize.tailnet.state import State

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
AUTH, API = CredentialKind.AUTH_KEY, CredentialKind.API_KEY
AUTH_SECRET = mint(AUTH, bytes(range(44)))
API_SECRET = mint(API, bytes(range(44, 88)))


@pytest.fixture
def state() -> State:
    """A tailnet with a user, an auth key (1) and an API key (2)."""
    state = State(1)
    state.apply(create_user(state, "alice", NOW))
    state.apply(create_auth_key(state, AUTH_SECRET, NOW, user_id=1, expires=NOW + timedelta(hours=1)))
    state.apply(create_api_key(state, API_SECRET, NOW))
    return state


def test_only_a_hash_of_a_secret_is_kept(state):
    for secret in (AUTH_SECRET, API_SECRET):
        assert not any(secret.text.rpartition("-")[2] in repr(key) for key in state.all(Credential))


def test_the_secret_opens_and_another_one_does_not(state):
    assert presented(state, AUTH, AUTH_SECRET.text, NOW).id == 1
    assert presented(state, API, API_SECRET.text, NOW).id == 2
    for text in (API_SECRET.text, AUTH_SECRET.text[:-1], AUTH_SECRET.text + "x", "", "tskey-auth-x"):
        with pytest.raises(NotAllowedError):
            presented(state, AUTH, text, NOW)


def test_a_key_needs_an_owner(state):
    with pytest.raises(InvalidError, match="owner"):
        create_auth_key(state, AUTH_SECRET, NOW)
    with pytest.raises(NotFoundError, match="user 7"):
        create_auth_key(state, AUTH_SECRET, NOW, user_id=7)
    assert create_auth_key(state, AUTH_SECRET, NOW, tags=["tag:server", "tag:server"]).puts[0].tags == ("tag:server",)


@pytest.mark.parametrize("tag", ["server", "tag:", "tag:Server", "tag:a b", "tag:-"])
def test_a_tag_must_be_one(state, tag):
    with pytest.raises(InvalidError, match="is not a tag"):
        create_auth_key(state, AUTH_SECRET, NOW, tags=[tag])


@pytest.mark.parametrize(("kind", "key_id", "secret"), [(AUTH, 1, AUTH_SECRET), (API, 2, API_SECRET)])
def test_an_expired_key_opens_nothing_and_expires_once(state, kind, key_id, secret):
    state.apply(expire_credential(state, kind, key_id, NOW))
    with pytest.raises(NotAllowedError, match="expired"):
        presented(state, kind, secret.text, NOW)
    assert expire_credential(state, kind, key_id, NOW) is None


def test_a_deleted_key_is_gone(state):
    state.apply(delete_credential(state, AUTH, 1, NOW))
    assert credentials(state, AUTH) == []
    assert [key.id for key in credentials(state, API)] == [2]


def test_a_key_of_another_kind_is_not_found(state):
    with pytest.raises(NotFoundError, match="API key 1 does not exist"):
        delete_credential(state, API, 1, NOW)


@pytest.mark.parametrize("form", ["{}", "tskey-api-{}", "tskey-api-{}-***", "{}***"])
def test_a_key_is_found_by_the_ways_its_prefix_is_shown(state, form):
    assert credential_shown_as(state, API, form.format(API_SECRET.prefix)).id == 2


@pytest.mark.parametrize("form", ["", "nothing", AUTH_SECRET.prefix, "tskey-api--***", "*"])
def test_another_text_finds_none(state, form):
    with pytest.raises(NotFoundError, match="no API key has the prefix"):
        credential_shown_as(state, API, form)


def test_use_is_noted_and_a_slow_hash_replaced(state):
    state.apply(note_use(state, 2, NOW, new_hash="blake2b:00"))
    key = state.get(Credential, 2)
    assert (key.last_used, key.hash) == (NOW, "blake2b:00")
    assert note_use(state, 99, NOW) is None
