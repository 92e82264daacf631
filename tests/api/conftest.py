"""A live tailnet in memory, and clients of its API."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from itertools import count

import msgspec
import pytest
from quart import Quart

from hatsize.api.contract import NodePing, PolicyDocument
from hatsize.api.credentials import LOCAL
from hatsize.api.problems import Problem
from hatsize.api.public import public
from hatsize.api.v1.blueprint import api_v1
from hatsize.api.v2.blueprint import api_v2
from hatsize.live.services import Terms
from hatsize.live.terms import in_force as terms_in_force
from hatsize.policy.preview import preview
from hatsize.policy.topology import from_state
from hatsize.tailnet.commands.policy import policy_in_force
from hatsize.tailnet.commands.register import Allow, Tools, admit, complete_login, start_login
from hatsize.tailnet.commands.users import create_user
from hatsize.tailnet.dns import DnsChoice, in_force
from hatsize.tailnet.errors import InvalidError
from hatsize.tailnet.model import Change, Credential, CredentialKind, Node
from hatsize.tailnet.secrets import mint
from hatsize.tailnet.state import State
from hatsize.wire.keys import MachineKey, machine_key, node_key
from hatsize.wire.tailcfg import (
    DERPMap,
    DERPNode,
    DERPRegion,
    DNSConfig,
    DNSRecord,
    Hostinfo,
    RegisterRequest,
    Resolver,
)

START = datetime(2026, 3, 4, 5, 6, 7, 120000, tzinfo=UTC)
RELAYS = DERPMap(
    Regions={
        900: DERPRegion(
            RegionID=900, RegionCode="lab", RegionName="Lab",
            Nodes=[DERPNode(Name="900a", RegionID=900, HostName="relay.example.com")],
        )
    }
)  # fmt: skip


class MemoryPolicy:
    """A policy that is any JSON object, and knows the tags written in it."""

    read_only = ""
    problem = ""

    def __init__(self, state: State) -> None:
        self._state = state

    def current(self) -> PolicyDocument | None:
        found = policy_in_force(self._state)
        return PolicyDocument(found.document, found.created) if found else None

    def check(self, document: str, state: State) -> Sequence[str]:
        try:
            msgspec.json.decode(document, type=dict)
        except msgspec.MsgspecError as error:
            raise InvalidError(f"the policy is not valid: {error}") from None
        return []

    async def review(self, document: str) -> Sequence[str]:
        return self.check(document, self._state)

    async def preview(self, document: str | None, names: Sequence[str] = ()):
        return preview("{}" if document is None else document, from_state(self._state))

    def knows_tag(self, tag: str) -> bool:
        found = self.current()
        return found is not None and f'"{tag}"' in found.text

    def owns_tag(self, owners: Sequence[str], tag: str) -> bool:
        found = self.current()
        named = json.loads(found.text).get("tagOwners", {}) if found else {}
        return not set(owners).isdisjoint(named.get(tag, ()))

    def serving(self, node_id: int) -> Sequence[str]:
        node = self._state.find(Node, node_id)
        return [route for route in node.approved_routes if route in node.advertised_routes] if node else []


class MemoryDns:
    """The configured DNS, and what it comes to with what was set."""

    base_domain = "net.example"

    def __init__(self, state: State) -> None:
        self._state = state
        self.configured = DnsChoice(split={"corp.example": ("10.0.0.53",)})
        self.others: list[tuple[str, DNSRecord]] = []

    def other_records(self) -> Sequence[tuple[str, DNSRecord]]:
        return self.others

    def config(self) -> DNSConfig:
        split = in_force(self._state, self.configured).split
        routes = {domain: tuple(Resolver(Addr=address) for address in found) for domain, found in split.items()}
        return DNSConfig(Routes={"net.example.": (), **routes})


class MemoryApiSettings:
    cors_origins: Sequence[str] = ("https://console.example.com",)


class MemoryLive:
    """What the API needs of a server, with no storage."""

    def __init__(self) -> None:
        self.state = State(1)
        self.policy = MemoryPolicy(self.state)
        self.dns = MemoryDns(self.state)
        self.settings = MemoryApiSettings()
        self.configured = Terms(base_domain="net.example", domain="net.example", v4=(), v6=())
        self.online: set[int] = set()
        self.complaints: dict[int, list[str]] = {}
        self.storage_problem_is = ""
        self.presenters: dict[str, str] = {}
        self.log: list[Change] = []
        self.elsewhere: list[Change] = []
        self._seconds = count()
        self._ids = count(1)

    @property
    def terms(self) -> Terms:
        return terms_in_force(self.configured, self.state)

    def clock(self) -> datetime:
        return START + timedelta(seconds=next(self._seconds))

    def is_online(self, node_id: int) -> bool:
        return node_id in self.online

    async def refresh(self) -> None:
        for change in self.elsewhere:
            self.state.apply(change)

    async def run(self, command) -> Change | None:
        change = command(self.state)
        if change is not None:
            self.log.append(change)
            self.state.apply(change)
        return change

    def warnings(self, node_id: int) -> Sequence[str]:
        return self.complaints.get(node_id, [])

    async def ping_node(self, node_id: int, address: str = "") -> NodePing:
        if node_id not in self.online:
            raise Problem(HTTPStatus.GATEWAY_TIMEOUT, "it is not connected")
        return NodePing(12.3456, f"to {address}" if address else "")

    def addresses(self, state: State, node: Node) -> tuple[str | None, str | None]:
        return None, None

    def derp_map(self) -> DERPMap:
        return RELAYS

    async def presenter(self, credential: str) -> str:
        return self.presenters.get(credential, "")

    async def storage_problem(self) -> str:
        return self.storage_problem_is

    async def register(self, auth_id: str, user_id: int, actor: str) -> Node:
        change = await self.run(
            lambda state: complete_login(state, auth_id, Allow(user_id=user_id, method="cli"), self._tools())
        )
        return next(record for record in change.puts if isinstance(record, Node))

    def _tools(self) -> Tools:
        return Tools(
            now=self.clock(), mint_id=lambda: f"n{next(self._ids)}", addresses=self.addresses,
            may_tag=lambda *_: False, auto_approved=lambda *_: (),
        )  # fmt: skip

    # What tests make happen.

    def add_users(self, *names: str) -> None:
        for name in names:
            self.state.apply(create_user(self.state, name, self.clock()))

    def wait_for_approval(self, auth_id: str, hostname: str) -> None:
        """A machine asks to be registered, and waits."""
        machine, request = self._machine(hostname)
        self.state.apply(start_login(self.state, machine, request, auth_id, self.clock()))

    def join(self, hostname: str, key: Credential, routes: Sequence[str] = ()) -> int:
        """A machine joins by an auth key; the node's id."""
        machine, request = self._machine(hostname, routes)
        terms = Allow(user_id=key.user_id, method="authkey", tags=key.tags, auth_key_id=key.id)
        change = admit(self.state, machine, request, terms, self._tools())
        self.state.apply(change)
        return next(record.id for record in change.puts if isinstance(record, Node))

    def _machine(self, hostname: str, routes: Sequence[str] = ()) -> tuple[MachineKey, RegisterRequest]:
        number = next(self._ids)
        hostinfo = Hostinfo(Hostname=hostname, RoutableIPs=tuple(routes))
        return machine_key(bytes([number] * 32)), RegisterRequest(
            NodeKey=node_key(bytes([number] * 32)), Hostinfo=hostinfo
        )


class Current:
    """Stands for the tailnet of the test that runs, so that all tests share one app: making its rules takes long."""

    def __init__(self) -> None:
        self.live: MemoryLive | None = None

    def __getattr__(self, name: str):
        return getattr(self.live, name)


class LocalClient:
    """A client of the API: through the Unix socket, or over TCP with headers of its own."""

    def __init__(self, app: Quart) -> None:
        self._client = app.test_client()

    async def __call__(self, method: str, path: str, body=None, *, headers=None, local: bool = True):
        raw = body if isinstance(body, bytes | str) or body is None else msgspec.json.encode(body)
        return await self._client.open(
            path, method=method, data=raw, headers=headers, scope_base={"state": {LOCAL: local}}
        )


@pytest.fixture(scope="session")
def served() -> tuple[Quart, Current]:
    """The app of all tests, and what it serves."""
    app, current = Quart("hatsize"), Current()
    for blueprint in (api_v1, api_v2, public):
        app.register_blueprint(blueprint(current))
    return app, current


@pytest.fixture
def live() -> MemoryLive:
    return MemoryLive()


@pytest.fixture
def api(live: MemoryLive, served: tuple[Quart, Current]) -> LocalClient:
    app, current = served
    current.live = live
    return LocalClient(app)


@pytest.fixture
def token(live):
    """Makes a token with some scopes, of a client that has all of them."""

    def made(*scopes: str, tags: tuple[str, ...] = ()) -> str:
        number = live.state.next_id(Credential)
        client, minted = (
            mint(kind, bytes([number + place]) * 44)
            for place, kind in enumerate((CredentialKind.OAUTH_CLIENT, CredentialKind.OAUTH_TOKEN))
        )
        rows = (
            Credential(
                id=number, kind=CredentialKind.OAUTH_CLIENT, prefix=client.prefix, hash=client.hash, scopes=("all",),
                created=live.clock(),
            ),
            Credential(
                id=number + 1, kind=CredentialKind.OAUTH_TOKEN, prefix=minted.prefix, hash=minted.hash, scopes=scopes,
                tags=tags, created=live.clock(), extra={"client": number},
            ),
        )  # fmt: skip
        live.state.apply(Change(tailnet=1, kind="credential.created", puts=rows, at=live.clock()))
        return minted.text

    return made
