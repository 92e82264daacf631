"""The relay itself, without sockets: clients come and go, send each other packets, and watch who is here.

Time is asked of a clock that is passed in, bytes leave through each client's sink. Protocol fact sheet, section 7.3.
"""

import random
from collections.abc import Callable, Iterator

from hatsize.derp.audience import Audience
from hatsize.derp.client import Client
from hatsize.derp.counters import Counters, Drop
from hatsize.derp.elsewhere import Elsewhere, Forwarder
from hatsize.derp.limits import Limits, TokenBucket
from hatsize.derp.packets import OVERHEAD, as_forwarded, disco_frames
from hatsize.derp.presence import Presence
from hatsize.derp.registry import Registry
from hatsize.derp.upkeep import Upkeep
from hatsize.wire.derp import frames
from hatsize.wire.derp.frames import FrameType, GoneReason
from hatsize.wire.derp.splitter import Frame, FrameError, Run

_GONE_RATE, _GONE_BURST = 1, 3


class Relay:
    """A region's node for its connected clients. Its methods run in one thread and never wait."""

    def __init__(
        self,
        public: bytes,
        limits: Limits | None = None,
        *,
        clock: Callable[[], float],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.public = public
        """The relay's own key, by which a mesh finds that it has connected to itself."""
        self.limits = limits or Limits()
        self.counters = Counters()
        self._clock = clock
        self._registry = Registry()
        self._audience = Audience()
        self._elsewhere = Elsewhere()
        self._presence = Presence(self._registry, self.counters)
        self._upkeep = Upkeep(self.limits, self.counters, now=clock(), jitter=jitter)

    def register(self, client: Client) -> None:
        """A client has passed its handshake."""
        if self.limits.bytes_per_second and not client.mesh:
            client.bucket = TokenBucket(self.limits.bytes_per_second, self.limits.burst, self._clock())
        self._registry.add(client)
        self.counters.accepts += 1
        self.counters.clients += 1
        self.counters.duplicate_keys = self._registry.duplicate_keys
        self._upkeep.add(client, self._clock())
        self._presence.arrived(client)

    def unregister(self, client: Client) -> None:
        """A client's connection has ended."""
        self._upkeep.remove(client)
        self._presence.unwatch(client)
        self._audience.leave(client)
        self._note_home(client, home=False)
        self.counters.clients -= 1
        still_here = self._registry.remove(client)
        self.counters.duplicate_keys = self._registry.duplicate_keys
        if not still_here:
            self._presence.left(client.key)
            self._tell_gone(client.key)

    def receive(self, client: Client, data: bytearray, runs: list[Run], control: list[Frame]) -> None:
        """Pass on what a client sent: runs of packets in `data`, and control frames. Raises FrameError."""
        client.silent = 0
        if runs:
            if client.duplicate:
                self._registry.touch(client)
            if len(runs) == 1:
                source, destination, start, stop, packets = runs[0]
                self._pass_on(client, source, destination, data[start:stop], packets)
            else:
                self._pass_on_several(client, data, runs)
        for kind, payload in control:
            self._control(client, kind, payload)

    def block(self, client: Client) -> None:
        """A client's queue is full."""
        client.blocked = True
        self._upkeep.block(client, self._clock())

    def unblock(self, client: Client) -> None:
        client.blocked = False
        self._upkeep.unblock(client)

    def tick(self) -> None:
        """Send what is due and end what is overdue; to be called about once a second."""
        self._upkeep.tick(self._clock())

    def evict(self, key: bytes) -> int:
        """End all connections of a node; returns how many there were."""
        clients = self._registry.of(key)
        for client in clients:
            client.sink.close()
        self.counters.evicted += len(clients)
        return len(clients)

    def announce_restart(self, *, reconnect_in: float, try_for: float) -> None:
        """Tell everybody, each a little later than the last, when to come back (seconds)."""
        clients = list(self._registry)
        for place, client in enumerate(clients):
            wait = reconnect_in * (1 + place / len(clients))
            client.sink.write(frames.restarting(int(wait * 1000), int(try_for * 1000)))

    def close(self) -> None:
        """End all connections."""
        for client in list(self._registry):
            client.sink.close()

    def __iter__(self) -> Iterator[Client]:
        """Every client that is connected."""
        return iter(self._registry)

    def is_here(self, key: bytes) -> bool:
        return key in self._registry.active

    def add_elsewhere(self, key: bytes, link: Forwarder) -> None:
        """A peer is connected to another relay of the region."""
        self._elsewhere.add(key, link)
        self.counters.mesh_peers = len(self._elsewhere)

    def remove_elsewhere(self, key: bytes, link: Forwarder) -> None:
        """A peer has left another relay of the region, or the link to that relay broke."""
        gone = self._elsewhere.remove(key, link)
        self.counters.mesh_peers = len(self._elsewhere)
        if gone and not self.is_here(key):
            self._tell_gone(key)

    def _pass_on_several(self, sender: Client, data: bytearray, runs: list[Run]) -> None:
        """Join the runs of one source and destination, so that each destination is written to once."""
        joined: dict[tuple[bytes, bytes], tuple[bytearray, int]] = {}
        for source, destination, start, stop, packets in runs:
            known = joined.get((source, destination))
            if known is None:
                joined[source, destination] = data[start:stop], packets
            else:
                run, before = known
                run += data[start:stop]
                joined[source, destination] = run, before + packets
        for (source, destination), (run, packets) in joined.items():
            self._pass_on(sender, source, destination, run, packets)

    def _pass_on(self, sender: Client, source: bytes, destination: bytes, run: bytearray, packets: int) -> None:
        counters = self.counters
        size = len(run) - OVERHEAD * packets
        counters.packets_received += packets
        counters.bytes_received += size
        if sender.bucket is not None:
            self._limit(sender, sender.bucket, len(run))
        if source != sender.key:
            counters.packets_forwarded_in += packets
        receiver = self._registry.active.get(destination)
        if receiver is None:
            self._pass_elsewhere(sender, source, destination, run, packets)
            return
        if receiver.blocked:
            self._spare_disco(receiver, run, packets)
            return
        if source not in receiver.heard_from:
            self._audience.note(source, receiver)
        counters.packets_sent += packets
        counters.bytes_sent += size
        receiver.sink.write(run)

    def _pass_elsewhere(self, sender: Client, source: bytes, destination: bytes, run: bytearray, packets: int) -> None:
        """A packet for a peer that is not here goes to a relay that has it, if it has not been forwarded before."""
        size = len(run) - OVERHEAD * packets
        forwarded = source != sender.key
        link = None if forwarded else self._elsewhere.link(destination)
        if link is None:
            self.counters.drop(Drop.UNKNOWN_FORWARDED if forwarded else Drop.UNKNOWN, packets, size)
            self._tell_not_here(sender, destination, run)
        elif link.forward(as_forwarded(source, destination, run)):
            self.counters.packets_forwarded_out += packets
        else:
            self.counters.drop(Drop.MESH_QUEUE_FULL, packets, size)

    def _spare_disco(self, receiver: Client, run: bytearray, packets: int) -> None:
        """A full queue drops packets, but lets a little path discovery through."""
        room = receiver.sink.pending() < self.limits.queue + self.limits.disco_reserve
        spared = disco_frames(run) if room else []
        for frame in spared:
            receiver.sink.write(frame)
            self.counters.packets_sent += 1
            self.counters.bytes_sent += len(frame) - OVERHEAD
        dropped = packets - len(spared)
        self.counters.drop(Drop.QUEUE_FULL, dropped, len(run) - sum(map(len, spared)) - OVERHEAD * dropped)

    def _limit(self, sender: Client, bucket: TokenBucket, size: int) -> None:
        wait = bucket.take(size, self._clock())
        if wait:
            self.counters.rate_limited += 1
            sender.sink.pause(wait)

    def _control(self, client: Client, kind: int, payload: bytes) -> None:
        match kind:
            case FrameType.PING:
                self._answer_ping(client, payload)
            case FrameType.NOTE_PREFERRED:
                self._note_home(client, home=payload[:1] == b"\x01")
            case FrameType.WATCH_CONNS:
                self._require_mesh(client, "watch connections")
                if client.key != self.public:
                    self._presence.watch(client)
            case FrameType.CLOSE_PEER:
                self._require_mesh(client, "close a peer's connections")
                self.evict(payload)
            case _:
                pass

    def _answer_ping(self, client: Client, payload: bytes) -> None:
        if len(payload) < 8:
            raise FrameError(f"a ping has 8 bytes, not {len(payload)}")
        self.counters.pings += 1
        if not client.blocked:
            client.sink.write(frames.pong(payload[:8]))

    def _note_home(self, client: Client, *, home: bool) -> None:
        self.counters.homes += home - client.home
        client.home = home

    def _tell_not_here(self, sender: Client, peer: bytes, run: bytearray) -> None:
        """Path discovery is a question that deserves an answer, now and then; other packets are lost in silence."""
        if not disco_frames(run) or sender.blocked:
            return
        now = self._clock()
        sender.gone_bucket = sender.gone_bucket or TokenBucket(_GONE_RATE, _GONE_BURST, now)
        if sender.gone_bucket.allow(now):
            self.counters.peer_gone_not_here += 1
            sender.sink.write(frames.peer_gone(peer, GoneReason.NOT_HERE))

    def _tell_gone(self, peer: bytes) -> None:
        """Those who heard a peer learn that it is gone, unless it is elsewhere in the region."""
        if self._elsewhere.link(peer) is not None:
            return
        for listener in self._audience.pop(peer):
            self.counters.peer_gone_disconnected += 1
            listener.sink.write(frames.peer_gone(peer, GoneReason.DISCONNECTED))

    @staticmethod
    def _require_mesh(client: Client, what: str) -> None:
        if not client.mesh:
            raise FrameError(f"only a mesh peer may {what}")
