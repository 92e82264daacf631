"""Who has logged in with an identity provider becomes a user, or is the one they became before.

A user is known by the provider and its subject alone: never by name or e-mail, which another provider may give to
somebody else.
"""

from dataclasses import dataclass
from datetime import datetime
from itertools import count

from msgspec.structs import replace

from hatsize.tailnet.commands.users import checked_name
from hatsize.tailnet.errors import InvalidError, RefusedError
from hatsize.tailnet.model import Change, Identity, User, UserStatus
from hatsize.tailnet.state import State


@dataclass(frozen=True, slots=True)
class Profile:
    """What a provider tells of somebody."""

    name: str
    email: str = ""
    display_name: str = ""
    picture_url: str = ""
    groups: tuple[str, ...] = ()


def user_of(state: State, identity: Identity) -> User | None:
    """The user an identity belongs to."""
    return next((user for user in state.all(User) if identity in user.identities), None)


def note_login(state: State, identity: Identity, profile: Profile, now: datetime) -> Change | None:
    """Somebody has logged in: the user they are, made or brought up to date; None when nothing is new.

    Raises RefusedError for a user who may not log in.
    """
    former = user_of(state, identity)
    if former is None:
        user = _new(state, identity, profile, now)
        return Change(tailnet=state.tailnet_id, kind="user.created", puts=(user,), at=now)
    if former.status is not UserStatus.ACTIVE:
        raise RefusedError(f"user {former.name!r} is {former.status.value}: ask an administrator")
    user = _told(state, former, profile)
    return Change(tailnet=state.tailnet_id, kind="user.updated", puts=(user,), at=now) if user != former else None


def _new(state: State, identity: Identity, profile: Profile, now: datetime) -> User:
    name = _free_name(state, profile)
    user = User(id=state.next_id(User), tailnet=state.tailnet_id, name=name, identities=(identity,), created=now)
    return _told(state, user, profile)


def _told(state: State, user: User, profile: Profile) -> User:
    """The user with what the provider says; without an e-mail that is somebody else's."""
    others = [other for other in state.all(User) if other.id != user.id]
    taken = any(profile.email in (other.email, other.login_name) for other in others)
    return replace(
        user,
        email="" if taken else profile.email,
        display_name=profile.display_name,
        picture_url=profile.picture_url,
        groups=profile.groups,
    )


def _free_name(state: State, profile: Profile) -> str:
    """The name the provider gives, or one made from it that is valid and free."""
    names = {user.name for user in state.all(User)} | {user.login_name.removesuffix("@") for user in state.all(User)}
    wanted = next(filter(_is_name, (profile.name, profile.email)), "user")
    return next(name for number in count(1) if (name := wanted if number == 1 else f"{wanted}-{number}") not in names)


def _is_name(name: str) -> bool:
    try:
        checked_name(name)
    except InvalidError:
        return False
    return True
