"""Users: making, renaming, removing and finding them."""

import re
from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from hatsize.tailnet.errors import AlreadyExistsError, InvalidError, NotFoundError, RefusedError
from hatsize.tailnet.model import Change, Credential, CredentialKind, Node, Record, User
from hatsize.tailnet.state import State

NAME = re.compile(r"[^\W\d_][\w.-]*(?:@[\w.-]+)?")


def create_user(
    state: State, name: str, now: datetime, *, display_name: str = "", email: str = "", picture_url: str = ""
) -> Change:
    """A new user. Policies name users by e-mail, or by name with `@`, so both must be free."""
    user = User(
        id=state.next_id(User),
        tailnet=state.tailnet_id,
        name=checked_name(name),
        display_name=display_name,
        email=_checked_email(email),
        picture_url=picture_url,
        created=now,
    )
    _must_be_free(state, user)
    return Change(tailnet=state.tailnet_id, kind="user.created", puts=(user,), at=now)


def rename_user(state: State, user_id: int, name: str, now: datetime) -> Change:
    """Another name for a user; refused for one whose name comes from an identity provider."""
    user = state.get(User, user_id)
    if user.identities:
        raise RefusedError(f"user {user.name!r} comes from {user.identities[0].provider}: rename them there")
    renamed = replace(user, name=checked_name(name))
    _must_be_free(state, renamed)
    return Change(tailnet=state.tailnet_id, kind="user.updated", puts=(renamed,), at=now)


def describe_user(
    state: State,
    user_id: int,
    now: datetime,
    *,
    display_name: str | None = None,
    email: str | None = None,
    picture_url: str | None = None,
) -> Change | None:
    """What is shown of a user, None leaving it as it is; refused for one whom an identity provider describes."""
    user = state.get(User, user_id)
    if user.identities:
        raise RefusedError(f"user {user.name!r} is described by {user.identities[0].provider}: change it there")
    described = replace(
        user,
        display_name=user.display_name if display_name is None else display_name,
        email=user.email if email is None else _checked_email(email),
        picture_url=user.picture_url if picture_url is None else picture_url,
    )
    if described == user:
        return None
    _must_be_free(state, described)
    return Change(tailnet=state.tailnet_id, kind="user.updated", puts=(described,), at=now)


def delete_user(state: State, user_id: int, now: datetime) -> Change:
    """A user goes, with their keys; refused while they own nodes. Tagged nodes and OAuth clients they made stay."""
    user = state.get(User, user_id)
    nodes = [state.get(Node, node_id) for node_id in sorted(state.index.nodes_by_user.get(user_id, ()))]
    owned = [node.given_name for node in nodes if not node.tags]
    if owned:
        names = ", ".join(owned[:5]) + ("…" if len(owned) > 5 else "")
        raise RefusedError(f"user {user.name!r} still owns {len(owned)} node(s), {names}: delete or move them first")
    credentials = [key for key in state.all(Credential) if key.user_id == user_id]
    clients = [key for key in credentials if key.kind is CredentialKind.OAUTH_CLIENT]
    keys = tuple((Credential.table, key.id) for key in credentials if key not in clients)
    orphans: tuple[Record, ...] = tuple(replace(made, user_id=None) for made in (*nodes, *clients))
    return Change(
        tailnet=state.tailnet_id, kind="user.deleted", puts=orphans, deletes=(*keys, (User.table, user_id)), at=now
    )


def find_users(state: State, *, user_id: int | None = None, name: str = "", email: str = "") -> Sequence[User]:
    """The users that match the first criterion given, or all of them; by id."""
    users = sorted(state.all(User), key=lambda user: user.id)
    if name:
        return [user for user in users if user.name == name]
    if email:
        return [user for user in users if user.email == email]
    return [user for user in users if user_id in (None, user.id)]


def user_named(state: State, name: str) -> User:
    """The user with a name, as given or as policies write it (`name@`); raises NotFoundError."""
    user = state.find(User, state.index.user_by_name.get(name))
    found = user or next((user for user in state.all(User) if name and user.login_name == name), None)
    if found is None:
        raise NotFoundError(f"user {name!r} does not exist: see `hatsize users list`")
    return found


def checked_name(name: str) -> str:
    """A user name; raises InvalidError when it cannot be one."""
    if not 2 <= len(name) <= 255 or not NAME.fullmatch(name):
        raise InvalidError(
            f"{name!r} is not a user name: use two or more letters, digits, dots, hyphens and underscores, "
            "a letter first, and one @ at most"
        )
    return name


def _checked_email(email: str) -> str:
    if email and not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
        raise InvalidError(f"{email!r} is not an e-mail address: give one such as alice@example.com")
    return email


def _must_be_free(state: State, user: User) -> None:
    for other in state.all(User):
        if other.id == user.id:
            continue
        if other.name == user.name:
            raise AlreadyExistsError(f"user {user.name!r} already exists: choose another name")
        if other.login_name == user.login_name:
            raise AlreadyExistsError(f"user {other.name!r} is {user.login_name!r} to policies already: choose another")
