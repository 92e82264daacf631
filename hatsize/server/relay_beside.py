"""The server's end of a relay that runs in a process of its own: it starts it, and says whom to admit."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Collection, Iterator, Mapping

import anyio

from hatsize.derp.mesh import MeshPeer
from hatsize.derp.stun import StunCounters
from hatsize.derp.supervision import again, run_process
from hatsize.live.tailnet import LiveTailnet
from hatsize.server.listener import bound_sockets
from hatsize.server.relay import is_known, on_departure
from hatsize.server.relay_child import ChildSettings, ChildSockets, relay_child
from hatsize.server.relay_messages import Ask, Count, LetGo, Meshed, Message, Messages, Renew, Verdict
from hatsize.server.settings import Settings
from hatsize.server.settings_values import ListenAddress
from hatsize.server.tls import CertificateFiles
from hatsize.wire.keys import NodeKey

log = logging.getLogger(__name__)


def relay_addresses(settings: Settings) -> tuple[ListenAddress, ...]:
    """Where a relay beside the server listens."""
    return settings.derp.listen or tuple(ListenAddress(each.host, each.port + 1) for each in settings.listen)


class CountedElsewhere:
    """Counters as another process told them last."""

    def __init__(self) -> None:
        self.told: Mapping[str, int | dict[str, int]] = {}

    def snapshot(self) -> Mapping[str, int | dict[str, int]]:
        return self.told


class RelayBeside:
    """A relay in another process. `listen`, and `run` until cancelled.

    The sockets belong to the server: whoever connects while the process is started again waits in them.
    """

    def __init__(self, live: LiveTailnet, settings: Settings, certificate: CertificateFiles) -> None:
        self.counters = CountedElsewhere()
        self.stun_counters = StunCounters()
        """As the process told them last."""
        self._live = live
        self._settings = settings
        self._certificate = certificate
        self._sockets: list[socket.socket] = []
        self._stun: list[socket.socket] = []
        self._messages: Messages | None = None
        self._mesh_key = ""
        self._peers: set[MeshPeer] = set()
        self.linked: Collection[MeshPeer] = ()
        """The relays there is a link to, as the process told last."""
        on_departure(live, self.evict)

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Host and port of each socket."""
        return [sock.getsockname()[:2] for sock in self._sockets]

    async def listen(self) -> None:
        """Open the ports; raises OSError that names the address and the mend."""
        for address in relay_addresses(self._settings):
            try:
                self._sockets += await bound_sockets(address.host, address.port)
            except OSError as error:
                if address.host == "::" and self._sockets:
                    log.info("not relaying on IPv6: %s", error.strerror or error)
                    continue
                words = f"cannot relay on {address}: {error.strerror or error}; choose another address by derp.listen"
                raise OSError(error.errno, words) from error
        for sock in self._sockets:
            sock.listen(1024)

    def answer_stun_on(self, sockets: list[socket.socket]) -> None:
        """Have STUN answered on these, which are bound already and belong to this relay from now on."""
        self._stun = sockets

    async def run(self) -> None:
        """Keep the process running until cancelled."""
        await again("the relay process", self._run_once)

    async def close(self) -> None:
        """Close the ports, after `run` has ended."""
        for sock in (*self._sockets, *self._stun):
            sock.close()
        self._sockets.clear()
        self._stun.clear()

    def evict(self, key: NodeKey) -> None:
        """Cut a node off."""
        self._tell(Verdict(key, admitted=False))

    def renew(self, certificate: CertificateFiles) -> None:
        """Have another certificate shown to those who connect from now on."""
        self._certificate = certificate
        self._tell(Renew(str(certificate.certificate), str(certificate.key)))

    def accept_mesh(self, mesh_key: str) -> None:
        """Let relays that know this key mesh with this one."""
        self._mesh_key = mesh_key
        self._tell_of_mesh()

    async def keep_linked(self, peer: MeshPeer) -> None:
        """Have a link kept to another relay until cancelled."""
        self._peers.add(peer)
        self._tell_of_mesh()
        try:
            await anyio.sleep_forever()
        finally:
            self._peers.discard(peer)
            self._tell_of_mesh()

    def let_go(self, at_most: int) -> int:
        """Send so many clients away at most; how many it were is not known."""
        self._tell(LetGo(at_most))
        return 0

    def _tell_of_mesh(self) -> None:
        if self._mesh_key:
            self._tell(Meshed(self._mesh_key, list(self._peers)))

    async def _run_once(self) -> int | None:
        with _pair() as (ours, theirs):
            loop = asyncio.get_running_loop()
            _, messages = await loop.create_unix_connection(lambda: Messages(self._heard), sock=ours)
            self._messages = messages
            self._tell_of_mesh()
            try:
                sockets = ChildSockets(self._sockets, self._stun, theirs)
                return await run_process("relay", relay_child, self._child_settings(), sockets)
            finally:
                self._messages = None
                messages.close()

    def _child_settings(self) -> ChildSettings:
        settings = self._settings
        return ChildSettings(
            settings.data_dir,
            self._certificate,
            settings.derp.verify_clients,
            settings.log,
            settings.trusted_proxies,
        )

    def _tell(self, message: Message) -> None:
        if self._messages is not None:
            self._messages.tell(message)

    def _heard(self, message: Message) -> None:
        match message:
            case Ask(key):
                self._tell(Verdict(key, admitted=is_known(self._live, key)))
            case Count(counters, stun, linked):
                self.linked = linked
                self.counters.told = counters
                self.stun_counters = stun
            case _:
                log.error("the relay process says what only the server may: %s", type(message).__name__)


@contextlib.contextmanager
def _pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected sockets; the second one is for the other process, the first one for a transport to close."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with theirs:
        yield ours, theirs
