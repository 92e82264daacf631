"""Deciding on registrations: by auth key, and otherwise by asking somebody."""

from hatsize.hooks import hookimpl
from hatsize.hooks.auth import Allow, AskUser, Decision, Deny, Registration, RegistrationDecider
from hatsize.tailnet.errors import NotAllowedError
from hatsize.tailnet.model import CredentialKind, User, UserStatus
from hatsize.tailnet.secrets import hashed, presented
from hatsize.tailnet.state import State


class AuthKeys:
    """Lets a client in that presents a usable auth key."""

    name = "authkey"

    def decide(self, state: State, registration: Registration) -> Decision | None:
        auth = registration.request.Auth
        if auth is None or not auth.AuthKey:
            return None
        try:
            key = presented(state, CredentialKind.AUTH_KEY, auth.AuthKey, registration.now)
        except NotAllowedError as error:
            return Deny(str(error))
        if key.uses and not key.reusable:
            return Deny(f"auth key {key.prefix} has been used: ask for a new one")
        user = state.find(User, key.user_id)
        if user is not None and user.status is not UserStatus.ACTIVE:
            return Deny(f"user {user.name} is {user.status.value}")
        return Allow(
            user_id=key.user_id,
            method="authkey",
            tags=key.tags,
            authorized=key.preauthorized,
            ephemeral=key.ephemeral,
            auth_key_id=key.id,
            auth_key_hash=hashed(auth.AuthKey, key.prefix),
        )


class Approval:
    """Holds everybody else until somebody approves the login on the web page, by command line or over the API."""

    name = "approval"

    def decide(self, state: State, registration: Registration) -> Decision | None:
        del state, registration
        return AskUser()


class _Plugin:
    def __init__(self, decider: RegistrationDecider) -> None:
        self._decider = decider

    @hookimpl
    def hatsize_register_registration_decider(self) -> RegistrationDecider:
        return self._decider


def plugins() -> list[tuple[str, object]]:
    """The deciders, each as a plugin of its own."""
    return [("auth-keys", _Plugin(AuthKeys())), ("auth-approval", _Plugin(Approval()))]
