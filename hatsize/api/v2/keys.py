"""API v2: keys, that is auth keys, API keys and OAuth clients. Each kind needs a scope of its own."""

from datetime import datetime, timedelta

from hatsize.api.minting import minted_secret
from hatsize.api.operation import Area, Call
from hatsize.api.problems import bad_request
from hatsize.api.v2.keys_json import CreateDevices, CreateKey, KeyJson, KeysAnswer, ListKeys, SetKey, key_json
from hatsize.api.v2.tags import check_tags
from hatsize.tailnet.commands import credentials, oauth
from hatsize.tailnet.errors import NotFoundError
from hatsize.tailnet.model import Credential, CredentialKind
from hatsize.tailnet.scopes import ALL, READ, grants

area = Area("Keys")
AUTH, API, CLIENT, TOKEN = (
    CredentialKind.AUTH_KEY, CredentialKind.API_KEY, CredentialKind.OAUTH_CLIENT, CredentialKind.OAUTH_TOKEN,
)  # fmt: skip
SCOPES = {AUTH: "auth_keys", API: ALL, CLIENT: "oauth_keys", TOKEN: "oauth_keys"}
"""What the one who asks must have been granted, by kind. Whoever has API keys can do everything."""
LISTED = (AUTH, API, CLIENT)
DEFAULT_LIFE = timedelta(days=90)


@area.add("POST", "/tailnet/{tailnet}/keys", "createKey", "Make an auth key or an OAuth client", scope="")
async def create_key(call: Call, body: CreateKey) -> KeyJson:
    match body.key_type:
        case "auth" | "":
            return await _create_auth_key(call, body)
        case "client":
            return await _create_client(call, body)
        case "api":
            raise bad_request("API keys are made by `hatsize apikeys create`, or by API v1")
    raise bad_request(f"there are no keys of the type {body.key_type[:40]!r}: give auth or client")


@area.add("GET", "/tailnet/{tailnet}/keys", "listTailnetKeys", "List the keys that are good for something", scope="")
async def list_keys(call: Call, query: ListKeys) -> KeysAnswer:
    del query
    seen = [kind for kind in LISTED if grants(call.principal.scopes, SCOPES[kind] + READ)]
    keys = [key for kind in seen for key in credentials.credentials(call.live.state, kind) if _usable(key, call.now)]
    return KeysAnswer(keys=[key_json(key, usable=True) for key in keys])


@area.add("GET", "/tailnet/{tailnet}/keys/{keyId}", "getKey", "Show a key", scope="")
async def get_key(call: Call, key_id: str) -> KeyJson:
    key = _key(call, key_id, READ)
    return key_json(key, usable=_usable(key, call.now))


@area.add("PUT", "/tailnet/{tailnet}/keys/{keyId}", "setKey", "Set what an OAuth client may do", scope="")
async def set_key(call: Call, key_id: str, body: SetKey) -> KeyJson:
    key = _key(call, key_id)
    if key.kind is not CLIENT or body.key_type not in {CLIENT.value, ""}:
        raise bad_request("only OAuth clients can be set: revoke another key, and make a new one")
    _check_grant(call, body)
    await call.run(
        lambda state: oauth.set_oauth_client(
            state, key.id, call.now, scopes=body.scopes or (), tags=body.tags or (), description=body.description
        )
    )
    return key_json(call.live.state.get(Credential, key.id), usable=True)


@area.add("DELETE", "/tailnet/{tailnet}/keys/{keyId}", "deleteKey", "Revoke a key", scope="")
async def delete_key(call: Call, key_id: str) -> None:
    key = _key(call, key_id)
    match key.kind:
        case CredentialKind.AUTH_KEY:
            await call.run(lambda state: credentials.revoke_credential(state, AUTH, key.id, call.now))
        case CredentialKind.OAUTH_CLIENT:
            await call.run(lambda state: oauth.delete_oauth_client(state, key.id, call.now))
        case kind:
            await call.run(lambda state: credentials.delete_credential(state, kind, key.id, call.now))


async def _create_auth_key(call: Call, body: CreateKey) -> KeyJson:
    call.demand(SCOPES[AUTH])
    create = body.capabilities.devices.create if body.capabilities else CreateDevices()
    check_tags(call, create.tags or ())
    if not create.tags and call.principal.user_id is None:
        raise bad_request("an auth key needs tags here: the credential is no user's, and so would be the nodes")
    life = timedelta(seconds=body.expiry_seconds) or DEFAULT_LIFE
    minted, now = minted_secret(AUTH), call.now
    key = await call.put(
        Credential,
        lambda state: credentials.create_auth_key(
            state,
            minted,
            now,
            user_id=call.principal.user_id,
            tags=create.tags or (),
            reusable=create.reusable,
            ephemeral=create.ephemeral,
            preauthorized=create.preauthorized,
            expires=now + life,
            description=body.description,
        ),
    )
    return key_json(key, usable=True, secret=minted.text)


async def _create_client(call: Call, body: CreateKey) -> KeyJson:
    call.demand(SCOPES[CLIENT])
    _check_grant(call, body)
    minted = minted_secret(CLIENT)
    client = await call.put(
        Credential,
        lambda state: oauth.create_oauth_client(
            state,
            minted,
            call.now,
            scopes=body.scopes or (),
            tags=body.tags or (),
            description=body.description,
            user_id=call.principal.user_id,
        ),
    )
    return key_json(client, usable=True, secret=minted.text)


def _check_grant(call: Call, body: CreateKey | SetKey) -> None:
    """Raise the 403 problem where a client would have more than the one who asks."""
    for scope in body.scopes or ():
        call.demand(scope)
    check_tags(call, body.tags or ())


def _key(call: Call, key_id: str, reading: str = "") -> Credential:
    """The key with an id, which is the public part of its secret; a token may always be asked for by itself."""
    state = call.live.state
    key = state.find(Credential, state.index.credential_by_prefix.get(key_id))
    if key is None or key.kind not in SCOPES:
        raise NotFoundError(f"there is no key {key_id[:40]!r}: see GET /api/v2/tailnet/-/keys")
    if key.id != call.principal.credential_id:
        call.demand(SCOPES[key.kind] + reading)
    return key


def _usable(key: Credential, now: datetime) -> bool:
    return key.revoked is None and (key.expires is None or key.expires > now)
