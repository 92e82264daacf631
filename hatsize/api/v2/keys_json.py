"""The JSON of keys, as the hosted service has it."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType, field

from hatsize.api.schema import Answer, Body, Query, Time, go_time
from hatsize.tailnet.model import Credential, CredentialKind

LONGEST = 100 * 365 * 24 * 3600
"""Seconds that a key may be good for: a hundred years."""


class CreateDevices(Body):
    """How the nodes are that join by an auth key."""

    reusable: bool = False
    ephemeral: bool = False
    preauthorized: bool = False
    tags: list[str] | None = None


class DeviceCapabilities(Body):
    create: CreateDevices = field(default_factory=CreateDevices)


class Capabilities(Body):
    devices: DeviceCapabilities = field(default_factory=DeviceCapabilities)


class CreateKey(Body):
    key_type: str = CredentialKind.AUTH_KEY.value
    description: Annotated[str, Meta(max_length=50)] = ""
    capabilities: Capabilities | None = None
    """Of an auth key."""
    expiry_seconds: Annotated[int, Meta(ge=0, le=LONGEST)] = 0
    """Of an auth key; 90 days for 0."""
    scopes: list[str] | None = None
    """Of an OAuth client, as are the tags."""
    tags: list[str] | None = None


class SetKey(Body):
    key_type: str = CredentialKind.OAUTH_CLIENT.value
    description: Annotated[str, Meta(max_length=50)] = ""
    scopes: list[str] | None = None
    tags: list[str] | None = None


class ListKeys(Query):
    all: bool = False
    """Of no use: keys that the scopes allow to be seen are all listed."""


class KeyJson(Answer):
    id: str
    key_type: str
    created: Time
    description: str
    key: str | UnsetType = UNSET
    """The secret, in the answer to making it alone."""
    expiry_seconds: int | UnsetType = UNSET
    expires: Time | UnsetType = UNSET
    revoked: Time | UnsetType = UNSET
    capabilities: Capabilities | UnsetType = UNSET
    scopes: list[str] | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET
    invalid: bool | UnsetType = UNSET
    """True when it is good for nothing, and absent otherwise."""
    user_id: str | UnsetType = UNSET


class KeysAnswer(Answer):
    keys: list[KeyJson]


def key_json(key: Credential, *, usable: bool, secret: str = "") -> KeyJson:
    """A key as it is listed, or with its secret, just made."""
    of_nodes = key.kind is CredentialKind.AUTH_KEY
    return KeyJson(
        id=key.prefix,
        key=secret or UNSET,
        key_type=TYPES[key.kind],
        expiry_seconds=int((key.expires - key.created).total_seconds()) if of_nodes and key.expires else UNSET,
        created=go_time(key.created),
        expires=go_time(key.expires) if key.expires else UNSET,
        revoked=go_time(key.revoked) if key.revoked else UNSET,
        capabilities=_capabilities(key) if of_nodes else UNSET,
        scopes=UNSET if of_nodes else list(key.scopes),
        tags=list(key.tags) or UNSET,
        description=key.description,
        invalid=UNSET if usable else True,
        user_id=str(key.user_id) if key.user_id else UNSET,
    )


TYPES = {
    CredentialKind.AUTH_KEY: "auth",
    CredentialKind.API_KEY: "api",
    CredentialKind.OAUTH_CLIENT: "client",
    CredentialKind.OAUTH_TOKEN: "api",
}
"""The hosted service calls tokens of OAuth clients API keys too."""


def _capabilities(key: Credential) -> Capabilities:
    create = CreateDevices(
        reusable=key.reusable, ephemeral=key.ephemeral, preauthorized=key.preauthorized, tags=list(key.tags)
    )
    return Capabilities(devices=DeviceCapabilities(create=create))
