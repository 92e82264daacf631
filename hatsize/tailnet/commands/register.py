"""Registering: what becomes of a client that asks to be a node (protocol fact sheet, section 4)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from hatsize.tailnet.commands.waiting import WaitingRoom, making_room
from hatsize.tailnet.errors import NotFoundError, RefusedError
from hatsize.tailnet.model import Change, Credential, LoginState, Node, PendingLogin, Record, User, UserStatus
from hatsize.tailnet.names import sanitised, unique
from hatsize.tailnet.state import State
from hatsize.wire import tailcfg
from hatsize.wire.keys import ZERO_DISCO_KEY, MachineKey, NodeKey
from hatsize.wire.tailcfg import Hostinfo, RegisterRequest


@dataclass(frozen=True, slots=True)
class Allow:
    """The client may join on these terms: as a user's node, or tagged."""

    user_id: int | None
    method: str
    """What let it in, as `authkey`, or the provider's name; kept on the node."""
    tags: tuple[str, ...] = ()
    authorized: bool = True
    """False holds the node for an administrator's approval."""
    ephemeral: bool = False
    key_expiry: datetime | None = None
    auth_key_id: int | None = None
    auth_key_hash: str = ""
    """A fast hash of the auth key, to be kept in place of the slow one of an imported key."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What registering needs from outside the state. Called with the state the change is made for."""

    now: datetime
    mint_id: Callable[[], str]
    """A new stable id."""
    addresses: Callable[[State, Node], tuple[str | None, str | None]]
    """IPv4 and IPv6 for a node, keeping those it has; raises when there are none left."""
    may_tag: Callable[[State, User | None, str], bool]
    """Whether an owner may give the tag to a node."""
    auto_approved: Callable[[State, Node], Sequence[str]]
    """The advertised routes that need nobody's approval."""


class TagRefusedError(Exception):
    """A client asked for tags that its owner may not give; the message is for its user."""


def known_node(state: State, machine_key: MachineKey, request: RegisterRequest) -> Node | None:
    """The node the client already is by its node key, if the key is this machine's."""
    node = state.find(Node, state.index.node_by_key.get(request.NodeKey))
    return node if node is not None and node.machine_key == machine_key else None


def foreign_key(state: State, machine_key: MachineKey, request: RegisterRequest) -> bool:
    """Whether the node key belongs to another machine's node."""
    node = state.find(Node, state.index.node_by_key.get(request.NodeKey))
    return node is not None and node.machine_key != machine_key


def admit(state: State, machine_key: MachineKey, request: RegisterRequest, terms: Allow, tools: Tools) -> Change:
    """The client becomes a node: the one it was before with the same owner, or a new one.

    Raises TagRefusedError, and what `tools.addresses` raises.
    """
    hostinfo = request.Hostinfo or Hostinfo()
    tags = _tags(state, hostinfo, terms, tools)
    former = _former_node(state, machine_key, request, terms.user_id, tags)
    expiry = None if tags else terms.key_expiry
    node = replace(
        with_hostinfo(state, former, hostinfo) if former else _new_node(state, machine_key, request, terms, tools),
        node_key=request.NodeKey,
        user_id=terms.user_id,
        tags=tags,
        key_expiry=expiry,
        former_expiry=None,
        authorized=terms.authorized or (former is not None and former.authorized),
        ephemeral=terms.ephemeral or request.Ephemeral,
        cap_version=request.Version,
        register_method=terms.method,
        auth_key_id=terms.auth_key_id,
        nl_key=request.NLKey,
        key_signature=request.NodeKeySignature or b"",
    )
    ipv4, ipv6 = tools.addresses(state, node)
    node = replace(node, ipv4=ipv4, ipv6=ipv6)
    node = replace(node, approved_routes=_with_routes(node.approved_routes, tools.auto_approved(state, node)))
    records: list[Record] = [node]
    key = state.find(Credential, terms.auth_key_id)
    if key is not None:
        kept = terms.auth_key_hash or key.hash
        records.append(replace(key, uses=key.uses + 1, last_used=tools.now, hash=kept))
    kind = "node.registered" if former is None else "node.reauthenticated"
    return Change(tailnet=state.tailnet_id, kind=kind, puts=tuple(records), actor=terms.method, at=tools.now)


def with_hostinfo(state: State, node: Node, hostinfo: Hostinfo) -> Node:
    """A node whose host tells this of itself now. Where it does not speak of the network, that stays as it was."""
    if hostinfo.NetInfo is None:
        hostinfo = replace(hostinfo, NetInfo=node.hostinfo.NetInfo)
    name = node.given_name
    if _renamed(node, hostinfo):
        name = unique(sanitised(hostinfo.Hostname), state.index.node_by_name.__contains__)
    return replace(node, hostinfo=hostinfo, given_name=name)


def _renamed(old: Node, hostinfo: Hostinfo) -> bool:
    """Whether the node's name still follows its host name, and that is another one now."""
    base = sanitised(old.hostinfo.Hostname)
    rest = old.given_name.removeprefix(base)
    follows = old.given_name == base or (rest.startswith("-") and rest[1:].isdigit())
    return follows and sanitised(hostinfo.Hostname) != base


def log_out(state: State, node: Node, now: datetime) -> Change:
    """The client does not want to be a node any more: its key expires now, and an ephemeral node is removed."""
    if node.ephemeral:
        return Change(
            tailnet=state.tailnet_id, kind="node.deleted", deletes=((Node.table, node.id),), actor="node", at=now
        )
    expired = replace(node, key_expiry=now)
    return Change(tailnet=state.tailnet_id, kind="node.logged_out", puts=(expired,), actor="node", at=now)


def shorten(state: State, node: Node, expiry: datetime, now: datetime) -> Change | None:
    """The client wants its key to expire earlier; later is not for it to say."""
    if node.tags or (node.key_expiry is not None and node.key_expiry <= expiry):
        return None
    sooner = replace(node, key_expiry=expiry)
    return Change(tailnet=state.tailnet_id, kind="node.updated", puts=(sooner,), actor="node", at=now)


def start_login(
    state: State,
    machine_key: MachineKey,
    request: RegisterRequest,
    auth_id: str,
    now: datetime,
    *,
    room: WaitingRoom = WaitingRoom(),  # noqa: B008 - frozen
) -> Change:
    """Somebody must approve this client on the web page or by command line: a pending login. Removes old ones."""
    over = making_room(state, room, now)
    login = PendingLogin(
        id=state.next_id(PendingLogin),
        tailnet=state.tailnet_id,
        auth_id=auth_id,
        machine_key=machine_key,
        node_key=request.NodeKey,
        request=tailcfg.encode(replace(request, Auth=None)),
        created=now,
        expires=now + room.lifetime,
    )
    return Change(tailnet=state.tailnet_id, kind="login.started", puts=(login,), deletes=over, actor="node", at=now)


def login_of(state: State, machine_key: MachineKey, node_key: NodeKey, now: datetime) -> PendingLogin | None:
    """The login of a client that waits for approval already, so that asking again leads to the same page."""
    return next(
        (
            login
            for login in state.all(PendingLogin)
            if (login.machine_key, login.node_key) == (machine_key, node_key)
            and (login.purpose, login.state) == ("register", LoginState.PENDING)
            and login.expires > now
        ),
        None,
    )


def complete_login(state: State, auth_id: str, terms: Allow, tools: Tools) -> Change:
    """Somebody approved a pending login: its client becomes a node. Raises NotFoundError when it is not waiting, and
    RefusedError when it is no registration, or for a user who is shut out."""
    login = waiting_registration(state, auth_id, tools.now)
    user = state.find(User, terms.user_id)
    if user is not None and user.status is not UserStatus.ACTIVE:
        raise RefusedError(f"user {user.name!r} is {user.status.value}: their machines cannot join")
    change = admit(state, login.machine_key, tailcfg.decode(RegisterRequest, login.request), terms, tools)
    node = next(record for record in change.puts if isinstance(record, Node))
    decided = replace(login, state=LoginState.APPROVED, user_id=terms.user_id, node_id=node.id)
    return replace(change, puts=(*change.puts, decided))


def waiting_login(state: State, auth_id: str, now: datetime) -> PendingLogin:
    """A login that can still be decided; NotFoundError says what to do otherwise."""
    login = state.find(PendingLogin, state.index.login_by_auth_id.get(auth_id))
    if login is None or login.expires <= now or login.state is not LoginState.PENDING:
        raise NotFoundError(
            f"no login waits under the id {auth_id!r}: it was used, or its 15 minutes are over; "
            "start it again on the client"
        )
    return login


def waiting_registration(state: State, auth_id: str, now: datetime) -> PendingLogin:
    """A machine's login that can still be decided; RefusedError says what to do otherwise."""
    login = waiting_login(state, auth_id, now)
    if login.purpose != "register":
        raise RefusedError("this login is no machine's: see `hatsize auth approve`")
    return login


def _tags(state: State, hostinfo: Hostinfo, terms: Allow, tools: Tools) -> tuple[str, ...]:
    """The key's tags, or those the client asks for if its owner may give them."""
    wanted = tuple(dict.fromkeys(hostinfo.RequestTags))
    if terms.tags:
        foreign = [tag for tag in wanted if tag not in terms.tags]
        if foreign:
            raise TagRefusedError(f"requested tags {foreign} are not those of the auth key")
        return terms.tags
    user = state.find(User, terms.user_id)
    refused = [tag for tag in wanted if not tools.may_tag(state, user, tag)]
    if refused:
        raise TagRefusedError(f"requested tags {refused} are invalid or not permitted")
    return wanted


def _former_node(
    state: State, machine_key: MachineKey, request: RegisterRequest, user_id: int | None, tags: tuple[str, ...]
) -> Node | None:
    """The machine's node that goes on: the one with this node key, or one with the same owner, or both tagged."""
    nodes = [state.get(Node, node_id) for node_id in state.index.nodes_by_machine.get(machine_key, ())]
    same_key = [node for node in nodes if node.node_key == request.NodeKey]
    same_owner = [node for node in nodes if (node.tags and tags) or (not node.tags and node.user_id == user_id)]
    converted = [node for node in nodes if bool(node.tags) != bool(tags) and node.user_id == user_id]
    found = same_key or same_owner or converted
    return min(found, key=lambda node: node.id) if found else None


def _new_node(state: State, machine_key: MachineKey, request: RegisterRequest, terms: Allow, tools: Tools) -> Node:
    hostinfo = request.Hostinfo or Hostinfo()
    return Node(
        id=state.next_id(Node),
        tailnet=state.tailnet_id,
        stable_id=tools.mint_id(),
        machine_key=machine_key,
        node_key=request.NodeKey,
        disco_key=ZERO_DISCO_KEY,
        given_name=unique(sanitised(hostinfo.Hostname), state.index.node_by_name.__contains__),
        authorized=terms.authorized,
        hostinfo=hostinfo,
        created=tools.now,
    )


def _with_routes(approved: Sequence[str], more: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*approved, *more)))


__all__ = [
    "Allow", "TagRefusedError", "Tools", "admit", "complete_login", "foreign_key",
    "known_node", "log_out", "login_of", "shorten", "start_login", "waiting_login",
    "waiting_registration", "with_hostinfo",
]  # fmt: skip
