"""Who has logged in with an identity provider becomes a user, or is the one they became before; who is gone there is
shut out here.

A user is known by the provider and its subject alone: never by name or e-mail, which another provider may give to
somebody else. Only where the provider vouches for an address, and the settings take its word, is an e-mail enough for a
first login.
"""

from dataclasses import dataclass
from datetime import datetime
from itertools import count

from msgspec.structs import replace

from hatsize.tailnet.commands.users import checked_name
from hatsize.tailnet.errors import InvalidError, RefusedError
from hatsize.tailnet.model import Change, Identity, Node, Suspension, User, UserStatus
from hatsize.tailnet.state import State


@dataclass(frozen=True, slots=True)
class Profile:
    """What a provider tells of somebody."""

    name: str
    email: str = ""
    display_name: str = ""
    picture_url: str = ""
    groups: tuple[str, ...] = ()
    link_email: str = ""
    """At the first login they are the user with this e-mail, where there is one."""


def user_of(state: State, identity: Identity) -> User | None:
    """The user an identity belongs to."""
    return state.find(User, state.index.user_by_identity.get((identity.provider, identity.subject)))


def note_login(state: State, identity: Identity, profile: Profile, now: datetime) -> Change | None:
    """Somebody has logged in: the user they are, made or brought up to date; None when nothing is new.

    Whom this provider had shut out is let in again. Raises RefusedError for a user who may not log in.
    """
    known = user_of(state, identity)
    if known is not None:
        _must_be_welcome(known, identity)
        return sync_user(state, identity, profile, now)
    former = _linked(state, identity, profile.link_email)
    if former is None:
        user = _new(state, identity, profile, now)
        return Change(tailnet=state.tailnet_id, kind="user.created", puts=(user,), actor=identity.provider, at=now)
    _must_be_welcome(former, identity)
    user = _told(state, replace(former, identities=(*former.identities, identity)), profile)
    return Change(tailnet=state.tailnet_id, kind="user.updated", puts=(user,), actor=identity.provider, at=now)


def sync_user(state: State, identity: Identity, profile: Profile, now: datetime) -> Change | None:
    """A provider tells of somebody, who need not be there: their user brought up to date, and let in again where it was
    this provider that had shut them out. None when nothing is new, or nobody has the identity."""
    former = user_of(state, identity)
    if former is None:
        return None
    user = _told(state, former, profile)
    restored = _is_suspended_by(former, identity)
    if restored:
        user = replace(user, status=UserStatus.ACTIVE, suspension=None)
    if user == former:
        return None
    kind = "user.restored" if restored else "user.updated"
    return Change(tailnet=state.tailnet_id, kind=kind, puts=(user,), actor=identity.provider, at=now)


def suspend_user(state: State, user_id: int, now: datetime, *, by: str, reason: str) -> Change | None:
    """A user is shut out, and the keys of the nodes they own expire; None when they are shut out already.

    Tagged nodes are nobody's, and stay.
    """
    user = state.get(User, user_id)
    if user.status is UserStatus.SUSPENDED:
        return None
    suspended = replace(user, status=UserStatus.SUSPENDED, suspension=Suspension(by, reason, now))
    owned = (state.get(Node, node_id) for node_id in sorted(state.index.nodes_by_user.get(user_id, ())))
    expired = (
        replace(node, key_expiry=now)
        for node in owned
        if not node.tags and (node.key_expiry is None or node.key_expiry > now)
    )
    return Change(tailnet=state.tailnet_id, kind="user.suspended", puts=(suspended, *expired), actor=by, at=now)


def restore_user(state: State, user_id: int, now: datetime, *, by: str) -> Change | None:
    """A suspended user may log in again, which their nodes have to; None when they are not suspended."""
    user = state.get(User, user_id)
    if user.status is not UserStatus.SUSPENDED:
        return None
    restored = replace(user, status=UserStatus.ACTIVE, suspension=None)
    return Change(tailnet=state.tailnet_id, kind="user.restored", puts=(restored,), actor=by, at=now)


def approve_user(state: State, user_id: int, now: datetime) -> Change | None:
    """A user who waits for it may take part; None when they wait no more, or are shut out."""
    user = state.get(User, user_id)
    if user.status is not UserStatus.NEEDS_APPROVAL:
        return None
    approved = replace(user, status=UserStatus.ACTIVE)
    return Change(tailnet=state.tailnet_id, kind="user.updated", puts=(approved,), at=now)


def _must_be_welcome(user: User, identity: Identity) -> None:
    if user.status is UserStatus.ACTIVE or _is_suspended_by(user, identity):
        return
    why = f" ({user.suspension.reason})" if user.suspension else ""
    raise RefusedError(f"user {user.name!r} is {user.status.value}{why}: ask an administrator")


def _is_suspended_by(user: User, identity: Identity) -> bool:
    return user.suspension is not None and user.suspension.by == identity.provider


def _linked(state: State, identity: Identity, email: str) -> User | None:
    """The one user with an e-mail, unless another of the provider's accounts is theirs already."""
    wanted = email.lower()
    found = [user for user in state.all(User) if wanted and user.login_name.lower() == wanted]
    taken = any(theirs.provider == identity.provider for user in found for theirs in user.identities)
    return found[0] if len(found) == 1 and not taken else None


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
