"""The process of a relay beside a server: it relays, and asks the server whom to admit."""

import asyncio
import logging
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
from anyio.abc import TaskGroup
from quart import Quart

from hatsize.derp.admission import everybody
from hatsize.derp.blueprint import blueprint
from hatsize.derp.mesh import MeshPeer
from hatsize.derp.privileges import allow_many_connections
from hatsize.derp.server import DerpServer
from hatsize.derp.stun import StunServer
from hatsize.derp.supervision import until_told_to_stop
from hatsize.server.listener import Listener
from hatsize.server.logs import configure_logs
from hatsize.server.relay import RELAY_KEY
from hatsize.server.relay_mesh import MeshHere
from hatsize.server.relay_messages import Ask, Count, LetGo, Meshed, Message, Messages, Renew, Verdict
from hatsize.server.secret_files import kept_key
from hatsize.server.settings_sections import Log
from hatsize.server.tls import CertificateError, CertificateFiles, build_context, meta_certificate
from hatsize.wire.keys import NodeKey, PrivateKey, parse_node_key

_NICENESS = 10
"""Where processors are scarce, a server's updates go before packets, which clients send again."""
_COUNT_EVERY = 5.0
_ANSWER_IN = 5.0
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChildSettings:
    """What the process is told at its start."""

    data_dir: Path
    certificate: CertificateFiles
    verify_clients: bool
    log: Log
    trusted_proxies: Sequence[str]


@dataclass(frozen=True, slots=True)
class ChildSockets:
    """What the process is given of the server's."""

    listening: Sequence[socket.socket]
    stun: Sequence[socket.socket]
    """Bound to the ports where STUN is answered; none where it is not."""
    link: socket.socket
    """Leads to the server."""


def relay_child(settings: ChildSettings, sockets: ChildSockets) -> None:
    """The process, from its start to its end."""
    os.nice(_NICENESS)
    configure_logs(settings.log.level, settings.log.format)
    anyio.run(_relay, settings, sockets, backend_options={"use_uvloop": True})


async def _relay(settings: ChildSettings, sockets: ChildSockets) -> None:
    allow_many_connections()
    child = Child(settings, kept_key(settings.data_dir / RELAY_KEY))
    try:
        async with anyio.create_task_group() as child.group:
            await child.connect(sockets.link)
            for sock in sockets.listening:
                child.listener.listen_on(sock)
            for sock in sockets.stun:
                child.stun.answer_on(sock)
            for part in (child.server.run, child.count):
                child.group.start_soon(part)
            await until_told_to_stop()
            child.group.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            child.stun.close()
            await child.server.close()
            await child.listener.stop()


class Child:
    """A relay, its listener, its STUN server, and its link to the server."""

    group: TaskGroup
    """Where the links to other relays are kept; there before the server says anything."""

    def __init__(self, settings: ChildSettings, private: PrivateKey) -> None:
        self._appended = meta_certificate(private.public)
        self.server = DerpServer(private, admit=self._admit if settings.verify_clients else everybody)
        self.stun = StunServer()
        app = Quart(__name__)
        app.register_blueprint(blueprint())
        context = build_context(settings.certificate, self._appended)
        upgraders = {("/derp", "DERP"): self.server.take}
        self.listener = Listener(app, upgraders, context, settings.trusted_proxies)
        self._questions: dict[str, _Question] = {}
        self._mesh = MeshHere(self.server)
        self._links: dict[MeshPeer, anyio.CancelScope] = {}

    async def connect(self, link: socket.socket) -> None:
        link.setblocking(False)
        loop = asyncio.get_running_loop()
        _, self._messages = await loop.create_unix_connection(lambda: Messages(self._heard), sock=link)

    async def count(self) -> None:
        """Tell the server the counters now and then, until cancelled."""
        while True:
            linked = list(self._mesh.linked)
            self._messages.tell(Count(self.server.counters.snapshot(), self.stun.counters, linked))
            await anyio.sleep(_COUNT_EVERY)

    async def _admit(self, key: NodeKey, address: str) -> bool:
        """Ask the server; nobody is admitted without its answer."""
        del address
        question = self._questions.setdefault(key, _Question())
        question.askers += 1
        self._messages.tell(Ask(key))
        try:
            with anyio.fail_after(_ANSWER_IN):
                await question.answered.wait()
        except TimeoutError:
            log.warning("the server does not say whether to admit %s", key)
            return False
        else:
            return question.admitted
        finally:
            question.askers -= 1
            if not question.askers:
                del self._questions[key]

    def _heard(self, message: Message) -> None:
        match message:
            case Verdict(key, admitted):
                self._judge(key, admitted=admitted)
            case Renew(certificate, key):
                self._renew(CertificateFiles(Path(certificate), Path(key)))
            case Meshed(mesh_key, peers):
                self._mesh.accept_mesh(mesh_key)
                self._link_to(set(peers))
            case LetGo(at_most):
                self.server.let_go(at_most)
            case _:
                log.error("the server says what only the relay process may: %s", type(message).__name__)

    def _link_to(self, peers: set[MeshPeer]) -> None:
        """Keep links to these relays, and to no others."""
        for peer in self._links.keys() - peers:
            self._links.pop(peer).cancel()
        for peer in peers - self._links.keys():
            scope = self._links[peer] = anyio.CancelScope()
            self.group.start_soon(self._keep_linked, peer, scope)

    async def _keep_linked(self, peer: MeshPeer, scope: anyio.CancelScope) -> None:
        with scope:
            await self._mesh.keep_linked(peer)

    def _judge(self, key: str, *, admitted: bool) -> None:
        """Take a verdict in, for connections that wait for it and for those there are."""
        question = self._questions.get(key)
        if question is not None:
            question.admitted = admitted
            question.answered.set()
        if not admitted:
            self.server.evict(parse_node_key(key))

    def _renew(self, files: CertificateFiles) -> None:
        try:
            self.listener.ssl_context = build_context(files, self._appended)
        except CertificateError as error:
            log.error("the relay keeps its former certificate: %s", error)  # noqa: TRY400 - a fault of the files


class _Question:
    """Connections of one node that wait to be admitted. A later verdict counts before an earlier one."""

    __slots__ = ("admitted", "answered", "askers")

    def __init__(self) -> None:
        self.askers = 0
        self.admitted = False
        self.answered = anyio.Event()
