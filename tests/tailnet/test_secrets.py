"""Secrets: found by their public part, checked whole, kept as hashes only."""

from datetime import UTC, datetime, timedelta

import bcrypt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatsize.tailnet.errors import NotAllowedError
from hatsize.tailnet.model import Change, Credential, CredentialKind
from hatsize.tailnet.secrets import hashed, matches, mint, prefix_of, presented
from hatsize.tailnet.state import State

NOW = datetime(2026, 3, 4, tzinfo=UTC)
MINTED = mint(CredentialKind.AUTH_KEY, bytes(range(64)))


def credential(**fields):
    defaults = {"id": 1, "kind": CredentialKind.AUTH_KEY, "prefix": MINTED.prefix, "hash": MINTED.hash, "created": NOW}
    return Credential(**{**defaults, **fields})


def state_with(*credentials):
    state = State(1)
    state.apply(Change(tailnet=1, kind="credential.created", puts=credentials, at=NOW))
    return state


def test_a_secret_has_the_form_clients_know_and_its_hash_does_not_tell_it():
    assert MINTED.text.startswith(f"tskey-auth-{MINTED.prefix}-")
    assert MINTED.text.rpartition("-")[2] not in MINTED.hash
    assert MINTED.text not in repr(MINTED)
    assert prefix_of(MINTED.text) == MINTED.prefix


def test_too_few_random_bytes_make_no_secret():
    with pytest.raises(ValueError, match="44 random bytes"):
        mint(CredentialKind.API_KEY, bytes(43))


def test_a_presented_secret_is_found():
    assert presented(state_with(credential()), CredentialKind.AUTH_KEY, MINTED.text, NOW).id == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"expires": NOW}, "has expired"),
        ({"revoked": NOW - timedelta(days=1)}, "was revoked"),
        ({"kind": CredentialKind.API_KEY}, "not found"),
        ({"hash": "blake2b:" + "0" * 64}, "not found"),
        ({"hash": "unheard-of:00"}, "not found"),
    ],
)
def test_what_is_wrong_with_it_is_said_in_words_without_the_secret(fields, words):
    with pytest.raises(NotAllowedError, match=words) as refused:
        presented(state_with(credential(**fields)), CredentialKind.AUTH_KEY, MINTED.text, NOW)
    assert MINTED.text not in str(refused.value)


@given(st.text(max_size=120))
def test_any_text_is_a_secret_or_refused(text):
    state = state_with(credential(), credential(id=2, prefix="abcdefabcdef", hash="bcrypt:$2b$04$" + "x" * 53))
    with pytest.raises(NotAllowedError):
        presented(state, CredentialKind.AUTH_KEY, text, NOW)


BCRYPTED = "bcrypt:" + bcrypt.hashpw(b"sec-ret_" + b"x" * 56, bcrypt.gensalt(4)).decode()


@pytest.mark.parametrize("prefix", ["abcdefabcdef", "ab-def_bc-ef"])
def test_headscales_keys_are_accepted_whatever_their_letters(prefix):
    imported = credential(prefix=prefix, hash=BCRYPTED)
    text = f"hskey-auth-{prefix}-sec-ret_{'x' * 56}"
    assert prefix_of(text) == prefix
    assert matches(imported, text)
    assert not matches(imported, text[:-1] + "y")


def test_a_secret_too_long_for_bcrypt_does_not_match():
    assert not matches(credential(hash=BCRYPTED), f"hskey-auth-{MINTED.prefix}-{'x' * 100}")


def test_headscales_older_keys_are_found():
    assert prefix_of("abcdefg.secret") == "abcdefg"
    assert prefix_of("0123456789abcdef" * 3) == "0123456789ab"
    assert prefix_of("something else") is None


def test_headscales_oldest_auth_keys_are_checked_whole_though_found_by_their_beginning():
    legacy = "0123456789abcdef" * 3
    kept = credential(prefix="0123456789ab", hash=hashed(legacy, "0123456789ab"))
    assert presented(state_with(kept), CredentialKind.AUTH_KEY, legacy, NOW).id == 1
    assert not matches(kept, legacy[:-1] + "0")
