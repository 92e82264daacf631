"""The nouns of the state, each a frozen record of one table. Every record belongs to a tailnet.

Records are values: a change replaces one by another, and whoever holds an old one keeps reading what was true then.
Addresses, prefixes and keys are kept in their canonical text. Times are aware and in UTC; None means "none" or "never".
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

import msgspec

from hatsize.wire.keys import DiscoKey, MachineKey, NodeKey
from hatsize.wire.tailcfg import Hostinfo


class Role(StrEnum):
    """What a user may administer; the hosted service's roles."""

    OWNER = "owner"
    ADMIN = "admin"
    NETWORK_ADMIN = "network-admin"
    IT_ADMIN = "it-admin"
    BILLING_ADMIN = "billing-admin"
    AUDITOR = "auditor"
    MEMBER = "member"


class UserStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    NEEDS_APPROVAL = "needs-approval"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What every row has. `table` names the table, and with `id` the row."""

    table: ClassVar[str] = ""
    id: int
    tailnet: int = 1


class Tailnet(Record, frozen=True, kw_only=True):
    """One network: the unit of visibility, of numbering and of settings."""

    table: ClassVar[str] = "tailnet"
    name: str
    display_name: str = ""
    created: datetime
    settings: dict[str, Any] = {}
    """Run-time settings that override the configured ones, by the key's dotted path."""


class Identity(msgspec.Struct, frozen=True):
    """Who a user is to one identity provider."""

    provider: str
    subject: str


class Suspension(msgspec.Struct, frozen=True):
    """Who shut a user out, and why."""

    by: str
    """An identity provider's name, for one whose word is followed; else who asked for it."""
    reason: str
    at: datetime


class User(Record, frozen=True, kw_only=True):
    table: ClassVar[str] = "user"
    name: str
    display_name: str = ""
    email: str = ""
    picture_url: str = ""
    role: Role = Role.MEMBER
    status: UserStatus = UserStatus.ACTIVE
    identities: tuple[Identity, ...] = ()
    groups: tuple[str, ...] = ()
    """Groups synced from an identity provider, as `group:name@domain`."""
    created: datetime
    suspension: Suspension | None = None
    """Why the status is `suspended`, where that was said."""

    @property
    def login_name(self) -> str:
        """How policies and clients name the user: the e-mail, or `name@` where there is none."""
        return self.email or (self.name if "@" in self.name else self.name + "@")


class Node(Record, frozen=True, kw_only=True):
    """A registered client, owned by a user, or tagged: then `tags` is not empty, and `user_id` only tells who made
    it."""

    table: ClassVar[str] = "node"
    stable_id: str
    machine_key: MachineKey
    node_key: NodeKey
    disco_key: DiscoKey
    given_name: str
    """The DNS label under the base domain; unique in the tailnet."""
    user_id: int | None = None
    tags: tuple[str, ...] = ()
    ipv4: str | None = None
    ipv6: str | None = None
    key_expiry: datetime | None = None
    former_expiry: datetime | None = None
    """When the key would expire, had its expiry not been disabled."""
    authorized: bool = True
    ephemeral: bool = False
    hostinfo: Hostinfo
    endpoints: tuple[str, ...] = ()
    endpoint_types: tuple[int, ...] = ()
    approved_routes: tuple[str, ...] = ()
    cap_version: int = 0
    created: datetime
    last_seen: datetime | None = None
    register_method: str = "cli"
    """`authkey`, `cli`, or the login provider's name."""
    auth_key_id: int | None = None
    nl_key: str = ""
    key_signature: bytes = b""
    attributes: dict[str, Any] = {}
    """Posture attributes, by their full name (`custom:tier`)."""
    attribute_expiries: dict[str, datetime] | None = None
    """When attributes are forgotten, for those that are; None rather than empty."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """The tailnet addresses, IPv4 first, without a prefix length."""
        return tuple(a for a in (self.ipv4, self.ipv6) if a)

    @property
    def home_derp(self) -> int:
        """The region the node can be reached at, 0 while it has not said."""
        net = self.hostinfo.NetInfo
        return net.PreferredDERP if net else 0

    @property
    def advertised_routes(self) -> tuple[str, ...]:
        return tuple(self.hostinfo.RoutableIPs or ())


class CredentialKind(StrEnum):
    AUTH_KEY = "auth"
    API_KEY = "api"
    OAUTH_CLIENT = "client"
    OAUTH_TOKEN = "token"  # noqa: S105 - a kind, not a secret
    FEDERATED = "federated"


class Credential(Record, frozen=True, kw_only=True):
    """A secret somebody may present. Only its hash is kept."""

    table: ClassVar[str] = "credential"
    kind: CredentialKind
    prefix: str
    """The public part, unique; enough to find the credential by what is presented, and safe to show."""
    hash: str
    """`blake2b:<hex>`; of imported secrets `bcrypt:<…>` or `argon2id:<…>` until they are used."""
    user_id: int | None = None
    tags: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    reusable: bool = False
    ephemeral: bool = False
    preauthorized: bool = True
    uses: int = 0
    description: str = ""
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None
    last_used: datetime | None = None
    extra: dict[str, Any] = {}


class PolicyVersion(Record, frozen=True, kw_only=True):
    """A policy as it was saved. The newest one is in force."""

    table: ClassVar[str] = "policy"
    document: str
    author: str = ""
    created: datetime


class DnsSettings(Record, frozen=True, kw_only=True):
    """The tailnet's DNS as changed at run time; None leaves the configured value in force."""

    table: ClassVar[str] = "dns_settings"
    magic_dns: bool | None = None
    override_local: bool | None = None
    nameservers: tuple[str, ...] | None = None
    split: dict[str, tuple[str, ...]] | None = None
    search_domains: tuple[str, ...] | None = None


class DnsRecord(Record, frozen=True, kw_only=True):
    table: ClassVar[str] = "dns_record"
    name: str
    type: str
    value: str
    ttl: int = 0


class Share(Record, frozen=True, kw_only=True):
    """A node offered to a user of another tailnet."""

    table: ClassVar[str] = "share"
    node_id: int
    to_tailnet: int | None = None
    to_user: int | None = None
    invite: str = ""
    accepted: datetime | None = None
    allow_exit_node: bool = False
    created: datetime


class Service(Record, frozen=True, kw_only=True):
    """A virtual service (`svc:name`) with addresses of its own."""

    table: ClassVar[str] = "service"
    name: str
    addresses: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    comment: str = ""
    annotations: dict[str, str] = {}
    approved_hosts: tuple[int, ...] = ()


class LoginState(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


class PendingLogin(Record, frozen=True, kw_only=True):
    """A registration, or an SSH check, that waits for somebody to approve it at `/register/AUTH-ID`."""

    table: ClassVar[str] = "pending_login"
    auth_id: str
    purpose: str = "register"
    machine_key: MachineKey
    node_key: NodeKey
    request: bytes = b""
    """The RegisterRequest as JSON; for an SSH check, who wants to reach what."""
    state: LoginState = LoginState.PENDING
    reason: str = ""
    user_id: int | None = None
    node_id: int | None = None
    created: datetime
    expires: datetime


class AuditEvent(Record, frozen=True, kw_only=True):
    table: ClassVar[str] = "audit_event"
    at: datetime
    actor: str
    action: str
    target: str
    before: Any = None
    after: Any = None


class PluginItem(Record, frozen=True, kw_only=True):
    """Something that a plugin keeps under a key of its own."""

    table: ClassVar[str] = "plugin_item"
    plugin: str
    key: str
    value: bytes
    expires: datetime | None = None
    """From when on it is not given out any more."""

    def __repr__(self) -> str:
        """Without the value, which is nobody else's business."""
        return f"PluginItem({self.id}, {self.plugin!r}, {self.key!r})"


RECORDS: tuple[type[Record], ...] = (
    Tailnet, User, Node, Credential, PolicyVersion, DnsSettings, DnsRecord, Share, Service, PendingLogin, AuditEvent,
    PluginItem,
)  # fmt: skip
"""Every table, in the order in which rows can be written."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What happened at once: the rows that are there afterwards, and those that are gone.

    `seq` numbers the durable changes of one tailnet without holes; it is 0 until the storage has given a number.
    """

    tailnet: int
    kind: str
    """One of the event vocabulary, as `node.registered`."""
    puts: tuple[Record, ...] = ()
    deletes: tuple[tuple[str, int], ...] = ()
    """(table, id)."""
    actor: str = ""
    at: datetime
    seq: int = 0
