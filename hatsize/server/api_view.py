"""The live tailnet as the HTTP APIs see it."""

from datetime import datetime
from http import HTTPStatus

from anyio import fail_after, to_thread

from hatsize.api.contract import ApiSettings, Command, NodePing
from hatsize.api.problems import Problem
from hatsize.control.c2n import ask_client
from hatsize.control.client_warnings import ClientWarnings
from hatsize.control.pings import NoAnswerError, Pings
from hatsize.control.registration import Registrar
from hatsize.hooks.storage import StorageError
from hatsize.live.services import Terms
from hatsize.live.tailnet import LiveTailnet
from hatsize.server.credential_checks import presenter
from hatsize.server.dns_view import DnsView
from hatsize.server.node_pings import ping, ping_from
from hatsize.server.policy_file import PolicyFile
from hatsize.server.policy_view import PolicyView
from hatsize.server.settings import Settings
from hatsize.tailnet.model import Change, Node
from hatsize.tailnet.state import State
from hatsize.wire.tailcfg import DERPMap

NEWEST = 1 << 30
"""A capability version newer than any client's."""
STORAGE_ANSWERS_IN = 2.0
"""Seconds after which a storage that does not answer counts as gone."""


class ApiView:
    """Implements `hatsize.api.contract.Live`."""

    def __init__(
        self,
        live: LiveTailnet,
        registrar: Registrar,
        settings: Settings,
        policy_file: PolicyFile | None,
        pings: Pings,
        *,
        warnings: ClientWarnings,
    ) -> None:
        self.warnings = warnings.of
        self._pings = pings
        self._live = live
        self._registrar = registrar
        self.settings: ApiSettings = settings.api
        self.policy = PolicyView(live, policy_file)
        self.dns = DnsView(live)

    @property
    def state(self) -> State:
        return self._live.state

    @property
    def terms(self) -> Terms:
        return self._live.terms

    @property
    def configured(self) -> Terms:
        return self._live.configured

    def clock(self) -> datetime:
        return self._live.clock()

    def is_online(self, node_id: int) -> bool:
        return self._live.is_online(node_id)

    async def refresh(self) -> None:
        await self._live.refresh()

    async def run(self, command: Command) -> Change | None:
        return await self._live.run(command)

    async def presenter(self, credential: str) -> str:
        return await presenter(self._live.services.plugins, credential)

    async def register(self, auth_id: str, user_id: int, actor: str) -> Node:
        return await self._registrar.approve(auth_id, user_id, actor)

    def addresses(self, state: State, node: Node) -> tuple[str | None, str | None]:
        return self._live.addresses(state, node)

    async def ask_node(self, node_id: int, method: str, path: str, body: bytes) -> tuple[int, str, bytes]:
        try:
            answer = await ask_client(self._pings, node_id, path, method=method, body=body)
        except NoAnswerError as error:
            raise Problem(HTTPStatus.GATEWAY_TIMEOUT, str(error)) from None
        return answer.status, answer.content_type, answer.body

    async def ping_node(self, node_id: int, address: str = "") -> NodePing:
        try:
            return await (ping_from(self._pings, node_id, address) if address else ping(self._pings, node_id))
        except NoAnswerError as error:
            raise Problem(HTTPStatus.GATEWAY_TIMEOUT, str(error)) from None

    def derp_map(self) -> DERPMap:
        return self._live.netmap.scene.derp_map(NEWEST)

    async def storage_problem(self) -> str:
        try:
            with fail_after(STORAGE_ANSWERS_IN):
                await to_thread.run_sync(self._live.services.storage.tailnets, abandon_on_cancel=True)
        except StorageError as error:
            return str(error)
        except TimeoutError:
            return f"it did not answer within {STORAGE_ANSWERS_IN:g} seconds"
        return self._live.refusal
