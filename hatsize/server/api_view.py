"""The live tailnet as the HTTP APIs see it."""

from collections.abc import Sequence
from datetime import datetime

from anyio import fail_after, to_thread

from hatsize.api.contract import ApiSettings, Command, PolicyDocument
from hatsize.control.registration import Registrar
from hatsize.hooks.storage import StorageError
from hatsize.live.tailnet import LiveTailnet
from hatsize.policy.errors import PolicyError
from hatsize.server.settings import Settings
from hatsize.tailnet.errors import InvalidError
from hatsize.tailnet.model import Change, Node, PolicyVersion
from hatsize.tailnet.state import State

STORAGE_ANSWERS_IN = 2.0
"""Seconds after which a storage that does not answer counts as gone."""


class PolicyView:
    """The policy in force, and the engine that judges new ones."""

    def __init__(self, live: LiveTailnet, settings: Settings) -> None:
        self._live = live
        file = settings.policy.file
        self.read_only = (
            f"the policy is read from {file}: change that file, or set policy.mode to database" if file else ""
        )

    def current(self) -> PolicyDocument | None:
        document = self._live.policy_document
        if document is None:
            return None
        newest = max(self._live.state.all(PolicyVersion), key=lambda version: version.id, default=None)
        return PolicyDocument(document, newest.created if newest and newest.document == document else None)

    def check(self, document: str, state: State) -> Sequence[str]:
        try:
            return self._live.services.policy.check(document, state)
        except PolicyError as error:
            raise InvalidError(str(error)) from error

    def knows_tag(self, tag: str) -> bool:
        return self._live.policy.knows_tag(tag)

    def serving(self, node_id: int) -> Sequence[str]:
        node = self._live.state.get(Node, node_id)
        primary = list(self._live.policy.primary_routes(node_id, node_id))
        exits = [route for route in node.approved_routes if route in ("0.0.0.0/0", "::/0")]
        return primary + [route for route in exits if route in node.advertised_routes]


class ApiView:
    """Implements `hatsize.api.contract.Live`."""

    def __init__(self, live: LiveTailnet, registrar: Registrar, settings: Settings) -> None:
        self._live = live
        self._registrar = registrar
        self.settings: ApiSettings = settings.api
        self.policy = PolicyView(live, settings)

    @property
    def state(self) -> State:
        return self._live.state

    def clock(self) -> datetime:
        return self._live.clock()

    def is_online(self, node_id: int) -> bool:
        return self._live.is_online(node_id)

    async def run(self, command: Command) -> Change | None:
        return await self._live.run(command)

    async def register(self, auth_id: str, user_id: int, actor: str) -> Node:
        return await self._registrar.approve(auth_id, user_id, actor)

    def addresses(self, state: State, node: Node) -> tuple[str | None, str | None]:
        return self._live.addresses(state, node)

    async def storage_answers(self) -> bool:
        try:
            with fail_after(STORAGE_ANSWERS_IN):
                await to_thread.run_sync(self._live.services.storage.tailnets, abandon_on_cancel=True)
        except (StorageError, TimeoutError):
            return False
        return True
