"""The built-in deciders: an auth key lets a client in, everybody else waits for somebody."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from hatsize.builtin.auth import Approval, AuthKeys
from hatsize.hooks.auth import Allow, AskUser, Deny, Registration
from hatsize.tailnet.model import Change, Credential, CredentialKind, UserStatus
from hatsize.tailnet.secrets import mint
from hatsize.testing.contracts.auth import MACHINE, NOW, RegistrationDeciderContract
from hatsize.testing.contracts.storage_samples import a_user
from hatsize.wire.tailcfg import RegisterRequest, RegisterResponseAuth

MINTED = mint(CredentialKind.AUTH_KEY, bytes(64))


class TestApproval(RegistrationDeciderContract):
    @pytest.fixture
    def decider(self):
        return Approval()

    def test_everybody_has_to_be_approved(self, decider, state):
        assert decider.decide(state, Registration(RegisterRequest(), MACHINE, None, "", NOW)) == AskUser()


class TestAuthKeys(RegistrationDeciderContract):
    @pytest.fixture
    def decider(self):
        return AuthKeys()

    def decide(self, state, user=None, **fields):
        key = Credential(
            **{
                "id": 1, "kind": CredentialKind.AUTH_KEY, "prefix": MINTED.prefix, "hash": MINTED.hash, "user_id": 1,
                "created": NOW, **fields,
            }
        )  # fmt: skip
        active = user or replace(a_user(), status=UserStatus.ACTIVE)
        state.apply(Change(tailnet=1, kind="test", puts=(key, active), at=NOW))
        request = RegisterRequest(Auth=RegisterResponseAuth(AuthKey=MINTED.text))
        return AuthKeys().decide(state, Registration(request, MACHINE, None, "", NOW))

    def test_who_presents_no_key_is_left_to_others(self, decider, state):
        assert decider.decide(state, Registration(RegisterRequest(), MACHINE, None, "", NOW)) is None

    def test_a_key_lets_in_on_its_own_terms(self, state):
        allow = self.decide(state, ephemeral=True, preauthorized=False, tags=("tag:a",), reusable=True, uses=7)
        assert isinstance(allow, Allow)
        assert (allow.user_id, allow.method, allow.auth_key_id) == (1, "authkey", 1)
        assert (allow.ephemeral, allow.authorized, allow.tags) == (True, False, ("tag:a",))

    def test_a_fast_hash_is_kept_from_the_first_use_on(self, state):
        assert self.decide(state).auth_key_hash == MINTED.hash

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"uses": 1}, "has been used"),
            ({"expires": NOW - timedelta(seconds=1)}, "has expired"),
            ({"revoked": NOW}, "was revoked"),
            ({"kind": CredentialKind.API_KEY}, "not found"),
            ({"user": replace(a_user(), status=UserStatus.SUSPENDED)}, "is suspended"),
            ({"user": replace(a_user(), status=UserStatus.NEEDS_APPROVAL)}, "needs-approval"),
        ],
    )
    def test_a_key_that_is_no_good_is_refused_in_words(self, state, fields, words):
        decision = self.decide(state, **fields)
        assert isinstance(decision, Deny)
        assert words in decision.reason
