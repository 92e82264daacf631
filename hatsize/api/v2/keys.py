"""API v2: keys, that is auth keys, API keys and OAuth clients."""

from msgspec import UNSET, UnsetType

from hatsize.api.operation import Area, Call
from hatsize.api.schema import Answer, Time, go_time
from hatsize.tailnet.model import Credential, CredentialKind
from hatsize.tailnet.scopes import READ, grants

area = Area("Keys")
SCOPE_OF = {
    CredentialKind.AUTH_KEY: "auth_keys",
    CredentialKind.API_KEY: "all",
    CredentialKind.OAUTH_CLIENT: "oauth_keys",
}
"""What a credential needs to make, see and remove keys of a kind."""


class KeyJson(Answer):
    id: str
    key_type: str
    created: Time
    expires: Time | UnsetType = UNSET


class KeysAnswer(Answer):
    keys: list[KeyJson]


@area.add("GET", "/tailnet/{tailnet}/keys", "listTailnetKeys", "List the keys that may be seen", scope="")
async def list_keys(call: Call) -> KeysAnswer:
    seen = [kind for kind, scope in SCOPE_OF.items() if grants(call.principal.scopes, scope + READ)]
    keys = sorted((key for key in call.live.state.all(Credential) if key.kind in seen), key=lambda key: key.id)
    return KeysAnswer(keys=[key_json(key) for key in keys])


def key_json(key: Credential) -> KeyJson:
    return KeyJson(
        id=key.prefix,
        key_type=key.kind.value,
        created=go_time(key.created),
        expires=go_time(key.expires) if key.expires else UNSET,
    )
