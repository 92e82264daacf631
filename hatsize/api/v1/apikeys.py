"""API v1: API keys, by which programs administer."""

from hatsize.api.minting import minted_secret
from hatsize.api.operation import Area, Call
from hatsize.api.problems import bad_request
from hatsize.api.reading import read_id
from hatsize.api.schema import Body, Moment, Nothing, Query
from hatsize.api.v1.render import api_key_json
from hatsize.api.v1.schema import ApiKeyAnswer, ApiKeysAnswer
from hatsize.tailnet.commands import credentials
from hatsize.tailnet.model import Credential, CredentialKind
from hatsize.tailnet.state import State

area = Area("ApiKeys")
KIND = CredentialKind.API_KEY


class CreateApiKey(Body):
    user: str = ""
    """Whose key it is: auth keys that it makes are theirs, and it goes with them. Headscale has no such keys."""
    expiration: Moment | None = None


class ExpireApiKey(Body):
    prefix: str = ""
    id: str = ""


class DeleteApiKey(Query):
    id: str = ""


@area.add("POST", "/apikey", "createApiKey", "Make an API key; it is told here and never again")
async def create_api_key(call: Call, body: CreateApiKey) -> ApiKeyAnswer:
    user_id = read_id(body.user, "a user") if body.user else None
    minted = minted_secret(KIND)
    await call.run(
        lambda state: credentials.create_api_key(state, minted, call.now, user_id=user_id, expires=body.expiration)
    )
    return ApiKeyAnswer(api_key=minted.text)


@area.add("GET", "/apikey", "listApiKeys", "List API keys")
async def list_api_keys(call: Call) -> ApiKeysAnswer:
    return ApiKeysAnswer(
        api_keys=[api_key_json(call.live.state, key) for key in credentials.credentials(call.live.state, KIND)]
    )


@area.add("POST", "/apikey/expire", "expireApiKey", "Make an API key good for nothing")
async def expire_api_key(call: Call, body: ExpireApiKey) -> Nothing:
    key_id = _one(call.live.state, body.id, body.prefix).id
    await call.run(lambda state: credentials.expire_credential(state, KIND, key_id, call.now))
    return Nothing()


@area.add("DELETE", "/apikey/{prefix}", "deleteApiKey", "Remove an API key")
async def delete_api_key(call: Call, prefix: str, query: DeleteApiKey) -> Nothing:
    key_id = _one(call.live.state, query.id, prefix).id
    await call.run(lambda state: credentials.delete_credential(state, KIND, key_id, call.now))
    return Nothing()


def _one(state: State, id_text: str, prefix: str) -> Credential:
    """The key meant by an id or by a prefix, one of which must be given."""
    key_id = read_id(id_text, "an API key") if id_text else 0
    if bool(key_id) == bool(prefix):
        raise bad_request("give either the id or the prefix of an API key, and not both")
    if prefix:
        return credentials.credential_shown_as(state, KIND, prefix)
    return credentials.credential_of(state, KIND, key_id)
