"""Replicas: several processes on one storage that are one server to their clients."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from hatsize.hooks import hookspec
from hatsize.hooks.setup import Setup
from hatsize.hooks.storage import Storage
from hatsize.wire.tailcfg import DERPNode


@dataclass(frozen=True, slots=True)
class Relay:
    """A process's own relay: what another one must know to mesh with it, and clients to use it."""

    host: str
    """A name or an address of this very process; of its machine, as far as it can tell."""
    region: int
    port: int
    """TCP, for plain and TLS alike."""
    stun_port: int
    """UDP; -1 for none."""
    pin: str
    """The certificate's `sha256-raw:…`; empty for one that clients can verify by name."""
    key: str
    """Its public key, 64 hexadecimal digits: what the other end of a mesh link must prove to have."""


@dataclass(frozen=True, slots=True)
class Routers:
    """What a process has found of the routers."""

    primaries: Mapping[str, int]
    """By subnet route, the id of the node that serves it."""
    silent: frozenset[int] = frozenset()
    """The ids of those with a map stream at this process that did not answer when they were probed."""


class Replica(Protocol):
    """This process, as whoever makes it one of several sees and moves it. Belongs to the event loop's thread."""

    @property
    def storage(self) -> Storage:
        """What all replicas share."""

    @property
    def relay(self) -> Relay | None:
        """This process's own relay; None where it runs none."""

    @property
    def routers(self) -> Routers:
        """What this process has found."""

    @property
    def sessions(self) -> int:
        """How many map streams are open here."""

    @property
    def linked(self) -> Collection[str]:
        """The keys of the relays that this one has a mesh link to."""

    def connected(self) -> frozenset[int]:
        """The ids of the nodes that have a map stream here, or had one a moment ago."""

    async def catch_up(self, seq: int) -> None:
        """Take over what other processes have committed, unless all up to `seq` is known. Raises StorageError."""

    async def load_anew(self) -> None:
        """Read everything again, as after a storage may have forgotten. Raises StorageError."""

    def be_elsewhere(self, node_ids: frozenset[int]) -> None:
        """These nodes are connected to other replicas, and no others are."""

    def settle(self) -> None:
        """Enough time has passed since the start: routers that are connected nowhere have left."""

    def follow_routers(self, primaries: Mapping[str, int] | None, silent: frozenset[int]) -> None:
        """Let routes be served as another replica says, unless None; and take these routers there for silent."""

    def show_relays(self, nodes: Sequence[DERPNode]) -> None:
        """Tell clients of these relays as the nodes of the own relay's region, best first."""

    def accept_mesh(self, mesh_key: str) -> None:
        """Let relays that know this key, 64 hexadecimal digits, mesh with the own one."""

    async def mesh_with(self, relay: Relay) -> None:
        """Keep a link to another replica's relay until cancelled."""

    def let_go(self, at_most: int) -> int:
        """End so many clients' connections at most, in good order, and tell how many. They connect anew."""

    async def ask(self, node_id: int, types: str, payload: bytes, within: float) -> bytes | None:
        """What a node that is connected here answers to a `PingRequest`; None when it does not in time."""


class Replication(Protocol):
    """Makes one of several processes of this one. At most one is in use; without any, a process is alone.

    Called in the event loop's thread, and must not block, but for `shared_secret`.
    """

    name: str

    def shared_secret(self, storage: Storage, name: str, ours: bytes) -> bytes:
        """The secret of that name that all replicas use; `ours` becomes it when there is none yet.

        Blocks, and is called from a worker thread before anything else. Raises PluginError and StorageError.
        """

    def is_ours(self, duty: str) -> bool:
        """Whether this process is the one to carry out, now, what must be done once."""

    def is_followed(self) -> bool:
        """Whether other replicas wait for what is written behind, so that it should be stored at once."""

    def here(self, node_id: int, connected: bool) -> None:
        """A node's map stream opened at this process, or ended a while ago."""

    def found(self) -> None:
        """`Replica.routers` is not as it was."""

    async def ask(self, node_id: int, types: str, payload: bytes, within: float) -> bytes | None:
        """What a node that is connected to another replica answers to a `PingRequest`; None when it does not."""


@hookspec
def hatsize_register_replication(setup: Setup) -> Replication | Sequence[Replication]:  # type: ignore[empty-body]
    """Supply what makes several processes one server. *Service*: the only one there is.

    Its other half is a `hatsize_running` context, which moves the process by `server.replica`.

    Example:

        @hookimpl
        def hatsize_register_replication(self, setup):
            return Twin()

        class Twin:
            name = "twin"

            def shared_secret(self, storage, name, ours):
                return storage.write_secret(name, ours)

            def is_ours(self, duty):
                return duty != "probing"

            def is_followed(self):
                return True

            def here(self, node_id, connected):
                print(node_id, "is here" if connected else "has left")

            def found(self):
                print("routes have moved")

            async def ask(self, node_id, types, payload, within):
                return None
    """
