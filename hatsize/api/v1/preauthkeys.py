"""API v1: auth keys, by which nodes join."""

from msgspec import field

from hatsize.api.minting import minted_secret
from hatsize.api.operation import Area, Call
from hatsize.api.reading import read_id
from hatsize.api.schema import Body, Moment, Nothing, Query
from hatsize.api.v1.render import pre_auth_key_json
from hatsize.api.v1.schema import PreAuthKeyAnswer, PreAuthKeysAnswer
from hatsize.tailnet.commands import credentials
from hatsize.tailnet.model import Credential, CredentialKind

area = Area("PreAuthKeys")
KIND = CredentialKind.AUTH_KEY


class CreatePreAuthKey(Body):
    user: str = ""
    reusable: bool = False
    ephemeral: bool = False
    preapproved: bool = True
    """False lets nodes that join by it wait for an administrator."""
    expiration: Moment | None = None
    acl_tags: list[str] = field(default_factory=list)


class ExpirePreAuthKey(Body):
    id: str = ""
    key: str = ""
    """In place of the id, the key as it is listed: what consoles sent before keys had ids."""
    user: str | int = ""
    """Sent along with `key`, and of no use."""


class DeletePreAuthKey(Query):
    id: str = ""


@area.add("POST", "/preauthkey", "createPreAuthKey", "Make an auth key; its secret is told here and never again")
async def create_pre_auth_key(call: Call, body: CreatePreAuthKey) -> PreAuthKeyAnswer:
    user_id = (read_id(body.user, "a user") or None) if body.user else None
    minted = minted_secret(KIND)
    key = await call.put(
        Credential,
        lambda state: credentials.create_auth_key(
            state,
            minted,
            call.now,
            user_id=user_id,
            tags=body.acl_tags,
            reusable=body.reusable,
            ephemeral=body.ephemeral,
            preauthorized=body.preapproved,
            expires=body.expiration,
        ),
    )
    return PreAuthKeyAnswer(pre_auth_key=pre_auth_key_json(call.live.state, key, minted.text))


@area.add("GET", "/preauthkey", "listPreAuthKeys", "List auth keys")
async def list_pre_auth_keys(call: Call) -> PreAuthKeysAnswer:
    state = call.live.state
    return PreAuthKeysAnswer(
        pre_auth_keys=[pre_auth_key_json(state, key) for key in credentials.credentials(state, KIND)]
    )


@area.add("POST", "/preauthkey/expire", "expirePreAuthKey", "Make an auth key good for nothing")
async def expire_pre_auth_key(call: Call, body: ExpirePreAuthKey) -> Nothing:
    if body.key and not body.id:
        key_id = credentials.credential_shown_as(call.live.state, KIND, body.key).id
    else:
        key_id = _id(body.id)
    await call.run(lambda state: credentials.expire_credential(state, KIND, key_id, call.now))
    return Nothing()


@area.add("DELETE", "/preauthkey", "deletePreAuthKey", "Remove an auth key; nodes that joined by it stay")
async def delete_pre_auth_key(call: Call, query: DeletePreAuthKey) -> Nothing:
    key_id = _id(query.id)
    await call.run(lambda state: credentials.delete_credential(state, KIND, key_id, call.now))
    return Nothing()


def _id(text: str) -> int:
    """An id; 0, which no key has, for none at all."""
    return read_id(text or "0", "an auth key")
