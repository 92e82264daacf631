"""Who asks the HTTP API, and whether they may.

The Unix socket in the data directory is trusted by its file mode. Whoever accepts its connections says so in the ASGI
scope: `scope["state"]["hatsize_local"] = True`. Everybody else presents an API key: `Authorization: Bearer tskey-…`, a
token that an OAuth client was given, or a credential that a plugin answers for. What each may do is told by scopes;
only tokens have less than all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from anyio import CapacityLimiter, to_thread

from hatsize.api.authorization import basic_of, bearer_of
from hatsize.api.contract import Live
from hatsize.api.problems import Problem
from hatsize.tailnet.commands.credentials import note_use
from hatsize.tailnet.errors import NotAllowedError
from hatsize.tailnet.model import Credential, CredentialKind, User, UserStatus
from hatsize.tailnet.scopes import ALL, grants
from hatsize.tailnet.secrets import hashed, prefix_of, presented

LOCAL = "hatsize_local"
"""The key in the ASGI scope's `state` that tells a connection through the Unix socket."""
OWN_FORMS = ("tskey-", "hskey-")
"""How the server's own secrets begin: no plugin is told of these."""
TOKEN_FORM = f"tskey-{CredentialKind.OAUTH_TOKEN.value}-"
SLOW = CapacityLimiter(1)
"""Secrets taken over from Headscale may need a slow hash, which takes up to 20 MB and a tenth of a second: one at a
time."""
FAST = "blake2b:"
"""How the hashes of all other secrets begin."""
NOTED_EVERY = timedelta(minutes=1)
"""How exactly a key's last use is kept."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, and what they may."""

    actor: str
    """As it is kept with changes: `local`, `apikey:PREFIX`, `oauthclient:PREFIX`, or `CHECKER:WORD` for what a plugin
    says."""
    scopes: tuple[str, ...] = ("all",)
    tags: tuple[str, ...] = ()
    """Those of an OAuth client; empty for everybody else."""
    credential_id: int | None = None
    """What was presented, where it is one of ours."""
    user_id: int | None = None
    """Whose credential it is, where it is somebody's."""


NOBODY = Principal("", scopes=())
"""Who needs no credential, and may do nothing by one."""


async def authorise(live: Live, scope: Mapping[str, Any], authorization: str, *, basic: bool = False) -> Principal:
    """Who asks, by the connection's ASGI scope and the Authorization header; raises the 401 problem.

    `basic` takes a secret as the user name of HTTP Basic too.
    """
    if (scope.get("state") or {}).get(LOCAL) is True:
        return Principal("local")
    secret = bearer_of(authorization) or (basic_of(authorization)[0] if basic else "")
    if not secret:
        raise _unauthorised("send an API key as Bearer" + (", or as the user name of Basic" if basic else ""))
    try:
        if secret.startswith(TOKEN_FORM):
            return await _client_of(live, secret)
        key = await credential_presented(live, CredentialKind.API_KEY, secret)
    except NotAllowedError:
        if not secret.startswith(OWN_FORMS) and (actor := await live.presenter(secret)):
            return Principal(actor)
        what = "token" if secret.startswith(TOKEN_FORM) else "API key"
        raise _unauthorised(f"the {what} is not valid") from None
    owner = live.state.find(User, key.user_id)
    if owner is not None and owner.status is not UserStatus.ACTIVE:
        raise _unauthorised("the user whose API key this is may not take part")
    return Principal(f"apikey:{key.prefix}", key.scopes or ("all",), credential_id=key.id, user_id=key.user_id)


def client_principal(client: Credential, token: Credential | None = None) -> Principal:
    """An OAuth client, by itself or by one of its tokens, which is good for no more than the client is by now."""
    granted = token or client
    return Principal(
        f"oauthclient:{client.prefix}",
        scopes=tuple(scope for scope in granted.scopes if grants(client.scopes, scope)),
        tags=tuple(tag for tag in granted.tags if tag in client.tags or ALL in client.scopes),
        credential_id=granted.id,
    )


async def _client_of(live: Live, secret: str) -> Principal:
    """The OAuth client that presents a token; it must still be good for something itself."""
    token = await credential_presented(live, CredentialKind.OAUTH_TOKEN, secret)
    client = live.state.find(Credential, token.extra.get("client"))
    if client is None or client.revoked is not None:
        raise NotAllowedError("the OAuth client of the token is gone")
    return client_principal(client, token)


async def credential_presented(live: Live, kind: CredentialKind, secret: str) -> Credential:
    """The usable credential of a kind that is presented; raises NotAllowedError.

    Its use is noted, but not that of a token: the client's was, when the token was made.
    """
    by_prefix, prefix = live.state.index.credential_by_prefix, prefix_of(secret)
    if secret.startswith("tskey-") and prefix not in by_prefix:
        await live.refresh()  # it may have been made a moment ago, by another replica
    found = live.state.find(Credential, by_prefix.get(prefix or ""))
    if found is not None and not found.hash.startswith(FAST):
        key = await to_thread.run_sync(presented, live.state, kind, secret, live.clock(), limiter=SLOW)
    else:
        key = presented(live.state, kind, secret, live.clock())
    if kind is not CredentialKind.OAUTH_TOKEN:
        await _note(live, key, secret)
    return key


async def _note(live: Live, key: Credential, secret: str) -> None:
    """Keep that the key was used, and a fast hash of it from now on."""
    now, slow = live.clock(), not key.hash.startswith(FAST)
    if slow or key.last_used is None or now - key.last_used >= NOTED_EVERY:
        new_hash = hashed(secret, key.prefix) if slow else None
        await live.run(lambda state: note_use(state, key.id, now, new_hash=new_hash))


def _unauthorised(detail: str) -> Problem:
    return Problem(HTTPStatus.UNAUTHORIZED, detail)
