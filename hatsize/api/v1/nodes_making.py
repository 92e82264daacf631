"""API v1: nodes that come to be, and addresses they lack."""

from secrets import token_bytes

from msgspec import field
from msgspec.structs import replace

from hatsize.api.operation import Area, Call
from hatsize.api.problems import bad_request
from hatsize.api.schema import ZERO_TIME, Answer, Body, Query
from hatsize.api.v1.auth import register_as
from hatsize.api.v1.render import node_json
from hatsize.api.v1.schema import NodeAnswer
from hatsize.tailnet.commands.addresses import readdress_node
from hatsize.tailnet.commands.logins import checked_auth_id
from hatsize.tailnet.commands.nodes_routes import canonical_route
from hatsize.tailnet.commands.register import start_login
from hatsize.tailnet.commands.users import user_named
from hatsize.tailnet.model import Node
from hatsize.wire.keys import ZERO_DISCO_KEY, machine_key, node_key
from hatsize.wire.tailcfg import Hostinfo, RegisterRequest

area = Area("Nodes")


class RegisterNode(Query):
    user: str = ""
    key: str = ""


class BackfillIps(Query):
    confirmed: bool = False


class BackfillAnswer(Answer):
    changes: list[str]


class DebugCreateNode(Body):
    user: str = ""
    key: str = ""
    name: str = ""
    routes: list[str] = field(default_factory=list)


@area.add(
    "POST", "/node/register", "registerNode", "Let a machine that waits for it join; auth/register is the newer way"
)
async def register_node(call: Call, query: RegisterNode) -> NodeAnswer:
    return await register_as(call, query.key, query.user)


@area.add("POST", "/node/backfillips", "backfillNodeIPs", "Give every node the addresses it should have")
async def backfill_node_ips(call: Call, query: BackfillIps) -> BackfillAnswer:
    if not query.confirmed:
        raise bad_request("this changes the addresses of nodes: repeat it with confirmed=true")
    changes: list[str] = []
    for node_id in sorted(call.live.state.table(Node)):
        changes += await _readdress(call, node_id)
    return BackfillAnswer(changes=changes)


async def _readdress(call: Call, node_id: int) -> list[str]:
    before = call.live.state.find(Node, node_id)
    if before is None:
        return []
    change = await call.run(lambda state: readdress_node(state, node_id, call.live.addresses, call.now))
    after = next((node for node in change.puts if isinstance(node, Node)), before) if change else before
    pairs = (("IPv4", before.ipv4, after.ipv4), ("IPv6", before.ipv6, after.ipv6))
    return [
        f"{family} of node {node_id} ({after.given_name}): {old or 'none'} to {new or 'none'}"
        for family, old, new in pairs
        if old != new
    ]


@area.add("POST", "/debug/node", "debugCreateNode", "Make a registration that waits, as if a machine had asked for it")
async def debug_create_node(call: Call, body: DebugCreateNode) -> NodeAnswer:
    user = user_named(call.live.state, body.user)
    routes = tuple(canonical_route(route) for route in body.routes)
    auth_id = checked_auth_id(body.key)
    machine, key = machine_key(token_bytes(32)), node_key(token_bytes(32))
    hostinfo = Hostinfo(Hostname=body.name, OS="TestOS", RoutableIPs=routes)
    request = RegisterRequest(Version=113, NodeKey=key, Hostinfo=hostinfo)
    await call.run(lambda state: start_login(state, machine, request, auth_id, call.now))
    node = Node(
        id=0,
        stable_id="",
        machine_key=machine,
        node_key=key,
        disco_key=ZERO_DISCO_KEY,
        given_name="",
        user_id=user.id,
        hostinfo=hostinfo,
        created=call.now,
    )
    shown = replace(
        node_json(call.live, node),
        register_method="REGISTER_METHOD_UNSPECIFIED",
        created_at=ZERO_TIME,
        expiry=ZERO_TIME,
        last_seen=ZERO_TIME,
    )
    return NodeAnswer(node=shown)
