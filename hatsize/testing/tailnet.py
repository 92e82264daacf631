"""A tailnet served from memory, with no sockets: what fast tests of plugins and of the core stand on."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hatsize.control import machine
from hatsize.control.client_warnings import ClientWarnings
from hatsize.control.logins import Logins
from hatsize.control.pings import Pings
from hatsize.control.registration import Registrar
from hatsize.control.sessions import Hub
from hatsize.control.ssh_check import SSHChecks
from hatsize.hooks.policy import PolicyEngine
from hatsize.live.services import Services, Terms
from hatsize.live.tailnet import LiveTailnet
from hatsize.server.plugins import choose_services, load_plugins, networks
from hatsize.server.settings import Settings
from hatsize.tailnet.commands.users import create_user
from hatsize.tailnet.model import Change, Credential, CredentialKind, Node, PolicyVersion, Tailnet, User
from hatsize.tailnet.secrets import mint
from hatsize.tailnet.state import State
from hatsize.testing.memory import MemoryStorage
from hatsize.wire.tailcfg import DERPMap, DERPNode, DERPRegion

START = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
RELAYS = DERPMap(
    Regions={900: DERPRegion(RegionID=900, Nodes=(DERPNode(Name="900a", RegionID=900, HostName="derp.example.com"),))}
)
URL = "http://hatsize.example"
"""What clients and browsers would reach it by."""


def login_url(auth_id: str) -> str:
    return f"{URL}/register/{auth_id}"


class Clock:
    """A time that passes when told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> datetime:
        """Let time pass: `advance(minutes=3)`."""
        self.now += timedelta(**by)
        return self.now


class ScratchTailnet:
    """A live tailnet `tailnet.internal` over a storage in memory, with user `alice`, and a clock of its own.

    Args:
        plugins: names of installed plugins to enable.
        settings: more settings, as `{"node": {"expiry": "90d"}}`.
        policy: a policy engine in place of the chosen one.
        storage: a storage that tests have prepared.
    """

    def __init__(
        self,
        *,
        plugins: Sequence[str] = (),
        settings: dict[str, Any] | None = None,
        policy: PolicyEngine | None = None,
        storage: MemoryStorage | None = None,
    ) -> None:
        self.clock = Clock()
        self.storage = storage or MemoryStorage()
        self.settings = Settings.model_validate(
            {"data_dir": Path("/nonexistent"), "plugins": {"enabled": list(plugins)}, **(settings or {})}
        )
        chosen = choose_services(load_plugins(self.settings), self.settings)
        self.services: Services = replace(chosen, storage=self.storage, policy=policy or chosen.policy)
        v4, v6 = networks(self.settings)
        base_domain = self.settings.dns.base_domain
        expiry = self.settings.node.expiry or None
        self.terms = Terms(base_domain=base_domain, domain=base_domain, v4=v4, v6=v6, key_expiry=expiry)
        self.live = LiveTailnet(self._stored(), self.services, self.terms, lambda _version: RELAYS, self.clock)
        self.hub = Hub(self.live)
        logins = Logins(self.live)
        self.registrar = Registrar(self.live, logins, login_url)
        self.pings = Pings(self.live, self.hub)
        checks = SSHChecks(self.live, logins, login_url)
        self.warnings = ClientWarnings()
        self.live.listen(self.warnings.changed)
        self.app = machine.app(self.live, self.hub, self.registrar, checks, self.pings, warnings=self.warnings)
        """What clients speak to inside the tunnel."""

    @property
    def state(self) -> State:
        return self.live.state

    async def add_user(self, name: str) -> User:
        await self.live.run(lambda state: create_user(state, name, self.clock()))
        return self.state.get(User, self.state.index.user_by_name[name])

    async def auth_key(
        self, user: User | None = None, *, reusable: bool = False, ephemeral: bool = False, **fields: Any
    ) -> str:
        """A new auth key's text; of the first user unless another one is given, or it has `tags`."""
        minted = mint(CredentialKind.AUTH_KEY, secrets.token_bytes(64))
        owner = user or (None if fields.get("tags") else next(self.state.all(User)))

        def command(state: State) -> Change:
            key = Credential(
                id=state.next_id(Credential),
                kind=CredentialKind.AUTH_KEY,
                prefix=minted.prefix,
                hash=minted.hash,
                user_id=owner.id if owner else None,
                reusable=reusable,
                ephemeral=ephemeral,
                created=self.clock(),
                **fields,
            )
            return Change(tailnet=1, kind="credential.created", puts=(key,), at=self.clock())

        await self.live.run(command)
        return minted.text

    async def save_policy(self, document: str) -> None:
        """Put a policy in force, unchecked."""

        def command(state: State) -> Change:
            version = PolicyVersion(id=state.next_id(PolicyVersion), document=document, created=self.clock())
            return Change(tailnet=1, kind="policy.saved", puts=(version,), at=self.clock())

        await self.live.run(command)

    def node(self, name: str) -> Node:
        """The node with a given name; KeyError when there is none."""
        return self.state.get(Node, self.state.index.node_by_name[name])

    def _stored(self) -> State:
        if not self.storage.tailnets():
            tailnet = Tailnet(id=1, name=self.settings.dns.base_domain, created=START)
            alice = User(id=1, name="alice", created=START)
            change = Change(tailnet=1, kind="tailnet.created", puts=(tailnet, alice), at=START)
            self.storage.commit([change], 0)
        snapshot = self.storage.load(1)
        return State.load(1, snapshot.seq, snapshot.records, snapshot.last_ids)
