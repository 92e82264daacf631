"""Records with every field filled in, for storages to keep and give back."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hatsize.tailnet.model import (
    AuditEvent,
    Change,
    Credential,
    CredentialKind,
    DnsRecord,
    DnsSettings,
    Identity,
    LoginState,
    Node,
    PendingLogin,
    PluginItem,
    PolicyVersion,
    Record,
    Role,
    Service,
    Share,
    Suspension,
    Tailnet,
    User,
    UserStatus,
)
from hatsize.wire.keys import DiscoKey, MachineKey, NodeKey
from hatsize.wire.tailcfg import Hostinfo, NetInfo

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOON + timedelta(days=180)


def a_tailnet(tailnet: int = 1) -> Tailnet:
    return Tailnet(
        id=tailnet,
        tailnet=tailnet,
        name=f"tailnet{tailnet}.example",
        display_name="Ours",
        created=NOON,
        settings={"dns.magic_dns": False, "limits": {"nodes": 2**40}},
    )


def a_user(number: int = 1, tailnet: int = 1) -> User:
    return User(
        id=number,
        tailnet=tailnet,
        name=f"user{number}",
        display_name="Åsa Öberg 👩‍🚀",
        email="asa@example.com",
        picture_url="https://example.com/asa.png",
        role=Role.NETWORK_ADMIN,
        status=UserStatus.SUSPENDED,
        identities=(Identity("oidc", "1234"), Identity("github", "asa")),
        groups=("group:crew@example.com",),
        suspension=Suspension("oidc", "no longer in group:crew@example.com", NOON),
        created=NOON,
    )


def a_node(number: int = 1, tailnet: int = 1) -> Node:
    key = f"{tailnet:032x}{number:032x}"
    return Node(
        id=number,
        tailnet=tailnet,
        stable_id=f"n{tailnet}x{number}CNTRL",
        machine_key=MachineKey(f"mkey:{key}"),
        node_key=NodeKey(f"nodekey:{key}"),
        disco_key=DiscoKey(f"discokey:{key}"),
        given_name=f"node-{number}",
        user_id=1,
        tags=("tag:server",),
        ipv4=f"100.{64 + (number >> 16)}.{number >> 8 & 255}.{number & 255}",
        ipv6=f"fd7a:115c:a1e0::{number:x}",
        key_expiry=LATER,
        former_expiry=NOON,
        authorized=False,
        ephemeral=True,
        hostinfo=Hostinfo(
            Hostname=f"node-{number}", OS="linux", RoutableIPs=("10.0.0.0/8",), NetInfo=NetInfo(PreferredDERP=7)
        ),
        endpoints=("192.0.2.1:41641", "[2001:db8::1]:41641"),
        endpoint_types=(1, 2),
        approved_routes=("10.0.0.0/8", "::/0"),
        cap_version=113,
        created=NOON,
        last_seen=LATER,
        register_method="authkey",
        auth_key_id=3,
        nl_key="nlpub:00",
        key_signature=b"\x00\xff",
        attributes={"custom:tier": "prod", "custom:score": 4.5, "custom:ok": True},
        attribute_expiries={"custom:tier": LATER},
    )


def a_credential(number: int = 1, tailnet: int = 1) -> Credential:
    return Credential(
        id=number,
        tailnet=tailnet,
        kind=CredentialKind.OAUTH_CLIENT,
        prefix=f"k{tailnet}x{number}",
        hash="blake2b:00ff",
        user_id=1,
        tags=("tag:server",),
        scopes=("devices:read",),
        reusable=True,
        ephemeral=True,
        preauthorized=False,
        uses=2,
        description="for the rack",
        created=NOON,
        expires=LATER,
        revoked=LATER,
        last_used=LATER,
        extra={"issuer": "https://ci.example"},
    )


def one_of_each(tailnet: int = 1) -> Sequence[Record]:
    """A record of every table, no field left at its default."""
    return (
        a_tailnet(tailnet),
        a_user(1, tailnet),
        a_node(1, tailnet),
        a_credential(1, tailnet),
        PolicyVersion(id=1, tailnet=tailnet, document='// ours\n{"acls": [],}', author="asa", created=NOON),
        DnsSettings(
            id=1,
            tailnet=tailnet,
            magic_dns=True,
            override_local=False,
            nameservers=("1.1.1.1",),
            split={"corp.example": ("10.0.0.53", "10.0.0.54")},
            search_domains=(),
        ),
        DnsRecord(id=1, tailnet=tailnet, name="grafana.example", type="A", value="100.64.0.1", ttl=60),
        Share(
            id=1,
            tailnet=tailnet,
            node_id=1,
            to_tailnet=2,
            to_user=5,
            invite="abc",
            accepted=LATER,
            allow_exit_node=True,
            created=NOON,
        ),
        Service(
            id=1,
            tailnet=tailnet,
            name="svc:web",
            addresses=("100.100.0.1",),
            ports=("tcp:443",),
            tags=("tag:web",),
            comment="the site",
            annotations={"owner": "asa"},
            approved_hosts=(1, 2),
        ),
        PendingLogin(
            id=1,
            tailnet=tailnet,
            auth_id=f"auth{tailnet}",
            purpose="ssh",
            machine_key=MachineKey("mkey:" + "0" * 64),
            node_key=NodeKey("nodekey:" + "0" * 64),
            request=b'{"Version":113}',
            state=LoginState.REJECTED,
            reason="unknown",
            user_id=1,
            node_id=1,
            created=NOON,
            expires=LATER,
        ),
        AuditEvent(
            id=1,
            tailnet=tailnet,
            at=NOON,
            actor="asa",
            action="node.renamed",
            target="node 1",
            before={"name": "a"},
            after=["b", 1, None],
        ),
        PluginItem(id=1, tailnet=tailnet, plugin="door", key="visits/åsa", value=b"\x00\xff", expires=LATER),
    )


def change(*puts: Record, deletes: Sequence[tuple[str, int]] = (), tailnet: int = 1, kind: str = "test.done") -> Change:
    """A change that puts and deletes these."""
    return Change(tailnet=tailnet, kind=kind, puts=puts, deletes=tuple(deletes), actor="asa", at=NOON)
