"""The JSON of API v1. Field order, names and nulls are Headscale's; 64-bit ids are strings."""

from msgspec import UNSET, UnsetType

from hatsize.api.schema import Answer, Id, Time


class UserJson(Answer):
    id: Id
    name: str
    created_at: Time
    display_name: str
    email: str
    provider_id: str
    provider: str
    profile_pic_url: str
    role: str | UnsetType = UNSET
    """What the user may administer; absent for a member."""
    status: str | UnsetType = UNSET
    """Why the user may not take part; absent for one who may."""


class UserAnswer(Answer):
    user: UserJson


class UsersAnswer(Answer):
    users: list[UserJson]


class PreAuthKeyJson(Answer):
    user: UserJson | None
    id: Id
    key: str
    reusable: bool
    ephemeral: bool
    used: bool
    expiration: Time
    created_at: Time
    acl_tags: list[str]


class PreAuthKeyAnswer(Answer):
    pre_auth_key: PreAuthKeyJson


class PreAuthKeysAnswer(Answer):
    pre_auth_keys: list[PreAuthKeyJson]


class NodePreAuthKeyJson(Answer):
    """The key a node joined by; here, unlike in the list of keys, no expiration is null."""

    user: UserJson | None
    id: Id
    key: str
    reusable: bool
    ephemeral: bool
    used: bool
    expiration: Time | None
    created_at: Time | None
    acl_tags: list[str]


class NodeJson(Answer):
    id: Id
    machine_key: str
    node_key: str
    disco_key: str
    ip_addresses: list[str]
    name: str
    user: UserJson | None
    last_seen: Time | None
    expiry: Time | None
    pre_auth_key: NodePreAuthKeyJson | None
    created_at: Time
    register_method: str
    given_name: str
    online: bool
    approved_routes: list[str]
    available_routes: list[str]
    subnet_routes: list[str]
    tags: list[str]
    authorized: bool | UnsetType = UNSET
    """False for one that waits for approval, and absent otherwise."""
    warnings: list[str] | UnsetType = UNSET
    """What its client says is wrong with its machine; absent when nothing is."""


class NodeAnswer(Answer):
    node: NodeJson


class NodesAnswer(Answer):
    nodes: list[NodeJson]


class ApiKeyJson(Answer):
    id: Id
    prefix: str
    expiration: Time | None
    created_at: Time | None
    last_seen: Time | None
    user: UserJson | UnsetType = UNSET
    """Whose it is; absent for a key that is nobody's."""


class ApiKeysAnswer(Answer):
    api_keys: list[ApiKeyJson]


class ApiKeyAnswer(Answer):
    api_key: str


class PolicyAnswer(Answer):
    policy: str
    updated_at: Time
