"""Records as API v1 shows them."""

from datetime import datetime

from msgspec import UNSET

from hatsize.api.contract import Live
from hatsize.api.schema import ZERO_TIME, go_time
from hatsize.api.v1.schema import ApiKeyJson, NodeJson, NodePreAuthKeyJson, PreAuthKeyJson, UserJson
from hatsize.tailnet.model import Credential, Node, Role, User, UserStatus
from hatsize.tailnet.state import State

TAGGED_DEVICES = UserJson(
    id="2147455555",
    name="tagged-devices",
    created_at=ZERO_TIME,
    display_name="Tagged Devices",
    email="",
    provider_id="",
    provider="",
    profile_pic_url="",
)
"""Whose a tagged node is shown to be in lists."""

REGISTER_METHODS = {"authkey": "REGISTER_METHOD_AUTH_KEY", "cli": "REGISTER_METHOD_CLI"}


def user_json(user: User) -> UserJson:
    identity = user.identities[0] if user.identities else None
    return UserJson(
        id=str(user.id),
        name=user.name,
        created_at=go_time(user.created),
        display_name=user.display_name,
        email=user.email,
        provider_id=identity.subject if identity else "",
        provider=identity.provider if identity else "",
        profile_pic_url=user.picture_url,
        role=UNSET if user.role is Role.MEMBER else user.role.value,
        status=UNSET if user.status is UserStatus.ACTIVE else user.status.value,
    )


def node_json(live: Live, node: Node) -> NodeJson:
    key, owner = live.state.find(Credential, node.auth_key_id), live.state.owner(node)
    return NodeJson(
        id=str(node.id),
        machine_key=node.machine_key,
        node_key=node.node_key,
        disco_key=node.disco_key,
        ip_addresses=list(node.addresses),
        name=node.hostinfo.Hostname or node.given_name,
        user=user_json(owner) if owner else None,
        last_seen=go_time(node.last_seen or node.created),
        expiry=go_time(node.key_expiry) if node.key_expiry else None,
        pre_auth_key=_node_key_json(live.state, key) if key else None,
        created_at=go_time(node.created),
        register_method=REGISTER_METHODS.get(node.register_method, "REGISTER_METHOD_OIDC"),
        given_name=node.given_name,
        online=live.is_online(node.id),
        approved_routes=list(node.approved_routes),
        available_routes=list(node.advertised_routes),
        subnet_routes=list(live.policy.serving(node.id)) if live.state.find(Node, node.id) else [],
        tags=list(node.tags),
        authorized=UNSET if node.authorized else False,
        warnings=list(live.warnings(node.id)) or UNSET,
    )


def pre_auth_key_json(state: State, key: Credential, secret: str | None = None) -> PreAuthKeyJson:
    """A key in the list of keys, or with its secret, just made."""
    user = state.find(User, key.user_id)
    return PreAuthKeyJson(
        user=user_json(user) if user else None,
        id=str(key.id),
        key=secret or masked(key),
        reusable=key.reusable,
        ephemeral=key.ephemeral,
        used=_used_up(key),
        expiration=go_time(_good_until(key)),
        created_at=go_time(key.created),
        acl_tags=list(key.tags),
    )


def api_key_json(state: State, key: Credential) -> ApiKeyJson:
    user = state.find(User, key.user_id)
    return ApiKeyJson(
        id=str(key.id),
        prefix=masked(key),
        expiration=go_time(key.expires) if key.expires else None,
        created_at=go_time(key.created),
        last_seen=go_time(key.last_used) if key.last_used else None,
        user=user_json(user) if user else UNSET,
    )


def masked(key: Credential) -> str:
    """A key as it may be shown: what kind it is, and its public part."""
    return f"tskey-{key.kind.value}-{key.prefix}-***"


def _node_key_json(state: State, key: Credential) -> NodePreAuthKeyJson:
    user = state.find(User, key.user_id)
    return NodePreAuthKeyJson(
        user=user_json(user) if user else None,
        id=str(key.id),
        key=masked(key),
        reusable=key.reusable,
        ephemeral=key.ephemeral,
        used=_used_up(key),
        expiration=go_time(until) if (until := _good_until(key)) else None,
        created_at=go_time(key.created),
        acl_tags=list(key.tags),
    )


def _good_until(key: Credential) -> datetime | None:
    """When the key expires, or was revoked: v1 has one word for both."""
    return min((moment for moment in (key.expires, key.revoked) if moment), default=None)


def _used_up(key: Credential) -> bool:
    return key.uses > 0 and not key.reusable
