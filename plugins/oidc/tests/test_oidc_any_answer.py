"""Whatever a provider answers, it is believed or refused in words."""

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from joserfc.jwt import Token

from hatsize.hooks.auth import LoginIdentity
from hatsize_oidc import former_file
from hatsize_oidc.failures import LoginFailure, shown
from hatsize_oidc.id_tokens import Expected, check_fresh, checked
from hatsize_oidc.logout_tokens import subject_of
from hatsize_oidc.metadata import Metadata, parse
from hatsize_oidc.person import person, token_expiry
from hatsize_oidc.settings import Provider

UNHURRIED = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ISSUER = "https://id.example.com"
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
AT = int(NOW.timestamp())
EXPECTED = Expected(ISSUER, "hatsize", NOW, 60, "nonce", "access")
SETTINGS = Provider(name="work", issuer=ISSUER, client_id="hatsize", groups_claim="groups", node_expiry="token")
GOOD = {"iss": ISSUER, "aud": "hatsize", "sub": "1", "iat": AT, "exp": AT + 60, "nonce": "nonce"}

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMES = ["iss", "aud", "sub", "iat", "exp", "nbf", "nonce", "azp", "amr", "at_hash", "auth_time", "email", "groups"]
CLAIMS = st.dictionaries(
    st.sampled_from([*NAMES, "email_verified", "picture", "name", "_claim_names", "events"]), VALUES
)


def outcome(function):
    """What a function gives, or the words in which it refuses, on one line."""
    try:
        return function()
    except LoginFailure as failure:
        words = str(failure)
    return words if words and words.isprintable() else None


@UNHURRIED
@given(CLAIMS)
@example({"iat": float("inf")})
@example({"exp": float("nan")})
@example({"exp": 1e300})
@example({"auth_time": float("nan")})
def test_any_claims(claims):
    def believe():
        good = checked(Token({"alg": "RS256"}, {**GOOD, **claims}), EXPECTED)
        check_fresh(good, NOW, 60)
        return person(SETTINGS, good, token_expiry(good))

    assert isinstance(outcome(believe), LoginIdentity | str)


@UNHURRIED
@given(CLAIMS)
@example({"iat": float("nan")})
def test_any_logout_token(claims):
    with pytest.raises(LoginFailure):
        subject_of(Token({}, {**GOOD, **claims, "nonce": None}), ISSUER, "hatsize", NOW, 60)


KEYS = ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint"]
LISTS = ["id_token_signing_alg_values_supported", "token_endpoint_auth_methods_supported"]
URLS = st.sampled_from([f"{ISSUER}/x", "http://id.example.com", "ftp://x"]) | VALUES


@UNHURRIED
@given(st.dictionaries(st.sampled_from(KEYS), URLS), st.dictionaries(st.sampled_from(LISTS), VALUES))
def test_any_metadata(endpoints, lists):
    document = {"issuer": ISSUER, **endpoints, **lists}
    assert isinstance(outcome(lambda: parse(document, ISSUER)), Metadata | str)


@UNHURRIED
@given(st.binary(max_size=60))
def test_any_file_of_refresh_tokens(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("oidc")
    path = folder / former_file.FILE
    path.write_bytes(content)
    assert isinstance(former_file._read(path), list)


@UNHURRIED
@given(st.text())
def test_what_somebody_else_wrote_is_shown_in_one_line(text):
    assert all(letter.isprintable() for letter in shown(text))
    assert len(shown(text)) <= 200
