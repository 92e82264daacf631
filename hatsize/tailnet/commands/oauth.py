"""OAuth clients, by which programs get tokens for a while, and their tokens (RFC 6749, section 4.4)."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from hatsize.tailnet.commands.credentials import checked_tag, credential_of
from hatsize.tailnet.errors import InvalidError
from hatsize.tailnet.model import Change, Credential, CredentialKind
from hatsize.tailnet.scopes import ALL, checked_scopes, grants
from hatsize.tailnet.secrets import Minted
from hatsize.tailnet.state import State

TOKEN_LIFE = timedelta(hours=1)
"""How long a token is good for, as the hosted service's."""
MAX_TOKENS = 1000
"""Tokens a client can have at a time; another one puts an end to the oldest."""
TAGGED = frozenset({"auth_keys", "devices:core"})
"""Scopes by which a client makes or changes nodes, which then are those tags' that it has."""


def create_oauth_client(
    state: State,
    minted: Minted,
    now: datetime,
    *,
    scopes: Sequence[str],
    tags: Sequence[str] = (),
    description: str = "",
    user_id: int | None = None,
) -> Change:
    """A client whose tokens may do what the scopes say, and give away the tags. `user_id` tells who made it."""
    granted = _checked(scopes, tags)
    client = Credential(
        id=state.next_id(Credential),
        tailnet=state.tailnet_id,
        kind=CredentialKind.OAUTH_CLIENT,
        prefix=minted.prefix,
        hash=minted.hash,
        user_id=user_id,
        scopes=granted[0],
        tags=granted[1],
        reusable=True,
        description=description,
        created=now,
    )
    return Change(tailnet=state.tailnet_id, kind="credential.created", puts=(client,), at=now)


def set_oauth_client(
    state: State, client_id: int, now: datetime, *, scopes: Sequence[str], tags: Sequence[str], description: str
) -> Change | None:
    """The client may do something else from now on, and so may its tokens, no more than they were given."""
    client = credential_of(state, CredentialKind.OAUTH_CLIENT, client_id)
    granted = _checked(scopes, tags)
    changed = replace(client, scopes=granted[0], tags=granted[1], description=description)
    if changed == client:
        return None
    return Change(tailnet=state.tailnet_id, kind="credential.updated", puts=(changed,), at=now)


def delete_oauth_client(state: State, client_id: int, now: datetime) -> Change:
    """The client goes, with all its tokens."""
    client = credential_of(state, CredentialKind.OAUTH_CLIENT, client_id)
    gone = (client.id, *_tokens_of(state, client.id))
    deletes = tuple((Credential.table, number) for number in gone)
    return Change(tailnet=state.tailnet_id, kind="credential.deleted", deletes=deletes, at=now)


def issue_token(
    state: State, client_id: int, minted: Minted, now: datetime, *, scopes: Sequence[str], tags: Sequence[str]
) -> Change:
    """A token of a client, for which expired ones make room; `scopes` and `tags` are some of the client's."""
    client = credential_of(state, CredentialKind.OAUTH_CLIENT, client_id)
    token = Credential(
        id=state.next_id(Credential),
        tailnet=state.tailnet_id,
        kind=CredentialKind.OAUTH_TOKEN,
        prefix=minted.prefix,
        hash=minted.hash,
        scopes=tuple(scopes),
        tags=tuple(tags),
        reusable=True,
        created=now,
        expires=now + TOKEN_LIFE,
        extra={"client": client.id},
    )
    expired = expired_tokens(state, now)
    living = sorted(set(_tokens_of(state, client.id)).difference(expired))
    surplus = living[: max(0, len(living) + 1 - MAX_TOKENS)]
    gone = tuple((Credential.table, number) for number in (*expired, *surplus))
    return Change(tailnet=state.tailnet_id, kind="credential.created", puts=(token,), deletes=gone, at=now)


def expired_tokens(state: State, now: datetime) -> list[int]:
    """The ids of the tokens whose time is over."""
    return [token.id for token in _tokens(state) if token.expires is not None and token.expires <= now]


def narrowed(client: Credential, scopes: Sequence[str], tags: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The scopes and tags of a token for which a client asked for these; for none of them, all it has.

    Raises InvalidError for a scope or tag that is not the client's; with the scope `all` every tag is.
    """
    wanted = checked_scopes(scopes) or client.scopes
    for scope in wanted:
        if not grants(client.scopes, scope):
            raise InvalidError(f"the scope {scope} was not granted to the OAuth client {client.prefix}")
    for tag in map(checked_tag, tags):
        if tag not in client.tags and ALL not in client.scopes:
            raise InvalidError(f"{tag} is not among the tags of the OAuth client {client.prefix}")
    return wanted, tuple(dict.fromkeys(tags)) or client.tags


def _checked(scopes: Sequence[str], tags: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Scopes and tags as a client has them; raises InvalidError."""
    granted = checked_scopes(scopes)
    if not granted:
        raise InvalidError("an OAuth client needs a scope at least: say what it may do, as devices:core:read")
    if not tags and (needing := TAGGED.intersection(granted)):
        raise InvalidError(f"a client with {' and '.join(sorted(needing))} needs tags: its nodes are no user's")
    return granted, tuple(dict.fromkeys(map(checked_tag, tags)))


def _tokens(state: State) -> Iterator[Credential]:
    return (key for key in state.all(Credential) if key.kind is CredentialKind.OAUTH_TOKEN)


def _tokens_of(state: State, client_id: int) -> list[int]:
    return [token.id for token in _tokens(state) if token.extra.get("client") == client_id]
