"""Authentication: who may register a node, and as whom."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from hatsize.hooks import hookspec
from hatsize.hooks.setup import Setup
from hatsize.tailnet.commands.register import Allow
from hatsize.tailnet.model import Identity, Node, PendingLogin, User
from hatsize.tailnet.state import State
from hatsize.wire.tailcfg import RegisterRequest

__all__ = [
    "Allow",
    "AskUser",
    "CredentialChecker",
    "Decision",
    "Deny",
    "FreshLoginProvider",
    "LoginIdentity",
    "LoginProvider",
    "PasswordProvider",
    "Registration",
    "RegistrationDecider",
    "UnavailableError",
    "hatsize_login",
    "hatsize_register_credential_checker",
    "hatsize_register_login_provider",
    "hatsize_register_password_provider",
    "hatsize_register_registration_decider",
    "hatsize_registration",
]


@dataclass(frozen=True, slots=True)
class Deny:
    """The node may not join; the reason is shown to its user."""

    reason: str


@dataclass(frozen=True, slots=True)
class AskUser:
    """Somebody has to log in, or approve, on the web page of a pending login."""


Decision = Allow | Deny | AskUser


@dataclass(frozen=True, slots=True)
class Registration:
    """A client that asks to register, with all that is known of it."""

    request: RegisterRequest
    machine_key: str
    node: Node | None
    """The node it already is, if it is one."""
    remote: str
    now: datetime


class RegistrationDecider(Protocol):
    """Decides on registrations. Deciders are asked in the settings' order until one does not return None.

    Called inside the one place where changes are made, with the state it will be made in: it must not block.
    """

    name: str

    def decide(self, state: State, registration: Registration) -> Decision | None:
        """What to do with the client, or None to leave it to the next decider."""


class UnavailableError(Exception):
    """What a provider asks cannot be asked now; the message is for the log."""


@dataclass(frozen=True, slots=True)
class LoginIdentity:
    """Who an identity provider says has logged in."""

    identity: Identity
    name: str
    email: str = ""
    display_name: str = ""
    picture_url: str = ""
    groups: Sequence[str] = ()
    expires: datetime | None = None
    claims: dict[str, object] = field(default_factory=dict)
    link_email: str = ""
    """An address the provider vouches for: at the first login they are the user who has it, where there is one."""


class LoginProvider(Protocol):
    """A way to log in on the web page of a pending login."""

    name: str
    title: str
    """What the button on the page says."""

    def start_url(self, login: PendingLogin) -> str:
        """Where the button leads: a page of the provider's own blueprint, or of the identity provider."""


@runtime_checkable
class FreshLoginProvider(Protocol):
    """A login provider that also makes people show anew who they are, and so lets SSH sessions go on that a policy
    holds for a check (`Server.approve_check`)."""

    title: str

    def check_url(self, login: PendingLogin) -> str:
        """Where the button on the page of a session leads."""


class PasswordProvider(Protocol):
    """Checks a user name and password typed into the login page's form."""

    name: str
    title: str

    async def check(self, username: str, password: str, remote: str) -> LoginIdentity | Deny | None:
        """Who it is, or None; takes the same time whether or not the user exists.

        A `Deny` is for somebody whose password is right and who may not log in: its reason is shown. Raises
        UnavailableError when there is no telling. It has 20 seconds.
        """


class CredentialChecker(Protocol):
    """Answers for credentials presented to the HTTP API that are not of the server's own forms."""

    name: str

    async def check(self, credential: str) -> str | None:
        """Whose credential it is, in a word that is kept with what they change; None for one it does not know.

        Whoever it answers for may do all that an API key may. Raises UnavailableError when there is no telling. It has
        5 seconds, and is asked at every request.
        """


@hookspec
def hatsize_register_registration_decider(  # type: ignore[empty-body]
    setup: Setup,
) -> RegistrationDecider | Sequence[RegistrationDecider]:
    """Supply a decider on registrations. *Service*: all are asked, in the settings' order, approval by hand last.

    Example:

        @hookimpl
        def hatsize_register_registration_decider(self, setup):
            return OfficeHours()

        class OfficeHours:
            name = "office-hours"

            def decide(self, state, registration):
                return None if 8 <= registration.now.hour < 18 else Deny("come back between 8 and 18 o'clock UTC")
    """


@hookspec
def hatsize_register_login_provider(  # type: ignore[empty-body]
    setup: Setup,
) -> LoginProvider | Sequence[LoginProvider]:
    """Supply ways to log in on the web page. *Service*: all are shown, in the settings' order.

    Example:

        @hookimpl
        def hatsize_register_login_provider(self, setup):
            return [Button("work", "Log in with the office's account"), Button("guest", "I am a guest")]

        class Button:
            def __init__(self, name, title):
                self.name, self.title = name, title

            def start_url(self, login):
                return f"/portal/{self.name}?auth={login.auth_id}"
    """


@hookspec
def hatsize_register_password_provider(  # type: ignore[empty-body]
    setup: Setup,
) -> PasswordProvider | Sequence[PasswordProvider]:
    """Supply a password check. *Service*: all are tried, in the settings' order.

    Example:

        @hookimpl
        def hatsize_register_password_provider(self, setup):
            return Door()

        class Door:
            name = "door"
            title = "Office account"

            async def check(self, username, password, remote):
                if not compare_digest(password.encode(), b"sesame"):
                    return None
                return LoginIdentity(Identity("door", username), name=username)
    """


@hookspec
def hatsize_register_credential_checker(  # type: ignore[empty-body]
    setup: Setup,
) -> CredentialChecker | Sequence[CredentialChecker]:
    """Supply a check of API credentials. *Service*: all are asked, in the settings' order, until one knows it.

    They are asked about what stands behind `Authorization: Bearer`, unless it has the form of one of the server's own
    secrets. One that fails or is too slow counts as not knowing it.

    Example:

        @hookimpl
        def hatsize_register_credential_checker(self, setup):
            return Robots()

        class Robots:
            name = "robots"
            known = {"beep": "welder", "boop": "painter"}

            async def check(self, credential):
                return next((name for secret, name in self.known.items() if _same(secret, credential)), None)

        def _same(secret, credential):
            return compare_digest(secret.encode(), credential.encode())
    """


@hookspec
async def hatsize_registration(state: State, registration: Registration, user: User | None) -> Decision | None:
    """Say no to, or hold, a registration that would be allowed. *First*: the first answer that is not None counts.

    A `Deny` refuses it, an `Allow` with `authorized=False` holds it for an administrator, an `AskUser` sends its user
    to the web page. `user` is whose node it would be, None for a tagged one. A plugin that fails or is too slow counts
    as a `Deny`. Nobody is asked about what an administrator approves by hand.

    Example:

        @hookimpl
        async def hatsize_registration(self, registration):
            if registration.request.Hostinfo.OS == "windows":
                return Deny("this network has no room for Windows")
    """


@hookspec
async def hatsize_login(state: State, identity: LoginIdentity) -> LoginIdentity | Deny | None:
    """Amend who an identity provider says has logged in, or refuse it. *Chain*: each gets what the one before made.

    None leaves it as it is; a `Deny` ends the chain. A plugin that fails or is too slow counts as a `Deny`.

    Example:

        @hookimpl
        async def hatsize_login(self, identity):
            if identity.email.endswith("@guest.example.com"):
                return replace(identity, groups=(*identity.groups, "group:guests@example.com"))
    """
