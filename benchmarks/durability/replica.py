"""One replica of a history: a process with a live tailnet on the shared database, that wishes things at random.

Started by `histories`: `python -m benchmarks.durability.replica URL JOURNAL NAME`. It ends with its standard input.
"""

import random
import sys
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from pathlib import Path

import anyio
from anyio import to_thread
from anyio.lowlevel import checkpoint
from msgspec.structs import replace

from benchmarks.durability.journal import Journal
from hatsize.builtin.storage.plugin import database_of
from hatsize.builtin.storage.store import SqlStorage
from hatsize.control.peer import Peer
from hatsize.hooks.storage import StorageError
from hatsize.live.writer import Command
from hatsize.tailnet.commands.nodes import delete_node, rename_node
from hatsize.tailnet.commands.policy import save_policy
from hatsize.tailnet.errors import RefusedError
from hatsize.tailnet.model import Change, Node
from hatsize.testing.client import CAP_VERSION
from hatsize.testing.tailnet import ScratchTailnet
from hatsize.wire.keys import PrivateKey, machine_key, node_key
from hatsize.wire.tailcfg import Hostinfo, RegisterRequest, RegisterResponseAuth

AT_ONCE = 4
"""Wishes under way in one replica."""
NAMES = 40
"""Few, so that many want the same one."""
FORESEEN = "try again"
SHOWN = {
    "node": ("id", "given_name", "ipv4", "ipv6"),
    "credential": ("id", "uses"),
    "policy": ("id", "document"),
}

current: ContextVar[str] = ContextVar("current")
"""The operation under way, by its name."""


class Replica:
    def __init__(self, tailnet: ScratchTailnet, journal: Journal, name: str) -> None:
        self.tailnet, self.live, self.journal, self.name = tailnet, tailnet.live, journal, name
        self.chance = random.Random(name)
        self.count = 0
        self.keys: list[tuple[int, str]] = []
        """The newest auth keys of all replicas, by id with their text."""
        self.made: dict[str, Change] = {}
        self._run, self.live.run = self.live.run, self.run  # type: ignore[method-assign]

    async def run(self, command: Command) -> Change | None:
        """As the live tailnet's own, with the operation's name in the log."""
        name = current.get()

        def named(state: object) -> Change | None:
            change = command(state)  # type: ignore[arg-type]
            return None if change is None else replace(change, actor=name)

        change = await self._run(named)
        if change is not None:
            self.made[name] = change
        return change

    async def wish(self) -> None:
        """One operation, written down before and after."""
        kinds: list[Callable[[], Awaitable[None]]] = [self.register, self.mint, self.rename, self.delete, self.policy]
        await self.chance.choices(kinds, (40, 22, 20, 14, 4))[0]()

    async def register(self) -> None:
        if not self.keys:
            return
        key_id, text = self.chance.choice(self.keys)
        request = RegisterRequest(
            Version=CAP_VERSION,
            NodeKey=node_key(PrivateKey.generate().public),
            Auth=RegisterResponseAuth(AuthKey=text),
            Hostinfo=Hostinfo(Hostname=f"host{self.chance.randrange(NAMES)}", OS="linux"),
        )
        peer = Peer(machine_key(PrivateKey.generate().public), CAP_VERSION)

        async def registered() -> None:
            answer = await self.tailnet.registrar.register(peer, request, "192.0.2.1")
            if answer.Error:
                raise StorageError(answer.Error) if FORESEEN in answer.Error else RefusedError(answer.Error)

        await self._carry_out("register", {"key": key_id}, registered)

    async def mint(self) -> None:
        reusable = self.chance.random() < 0.1
        text = ""

        async def minted() -> None:
            nonlocal text
            text = await self.tailnet.auth_key(reusable=reusable)

        if change := await self._carry_out("mint", {"reusable": reusable}, minted):
            (key,) = change.puts
            self._share(key.id, text)

    def _share(self, key_id: int, text: str) -> None:
        """Let every replica use the key."""
        with Path(sys.argv[2]).with_name("keys").open("a") as file:
            file.write(f"{key_id} {text}\n")

    async def rename(self) -> None:
        node, name = self._some_node(), f"name{self.chance.randrange(NAMES)}"
        if node is not None:
            command = self._on_clock(lambda state, now: rename_node(state, node.id, name, now))
            await self._carry_out("rename", {"node": node.id, "name": name}, lambda: self.live.run(command))

    async def delete(self) -> None:
        node = self._some_node()
        if node is not None:
            command = self._on_clock(lambda state, now: delete_node(state, node.id, now))
            await self._carry_out("delete", {"node": node.id}, lambda: self.live.run(command))

    async def policy(self) -> None:
        document = f'{{"acls": []}} // {self.name} {self.count}\n'
        command = self._on_clock(lambda state, now: save_policy(state, document, lambda _, __: (), now))
        await self._carry_out("policy", {"document": document}, lambda: self.live.run(command))

    def _on_clock(self, command: Callable[..., Change]) -> Command:
        return lambda state: command(state, self.tailnet.clock())

    def _some_node(self) -> Node | None:
        nodes = list(self.live.state.all(Node))
        return self.chance.choice(nodes) if nodes else None

    async def _carry_out(
        self, kind: str, wish: dict[str, object], work: Callable[[], Awaitable[object]]
    ) -> Change | None:
        self.count += 1
        name = f"{self.name}-{self.count}"
        current.set(name)
        self.journal.begin(name, kind, wish)
        try:
            await work()
        except RefusedError as error:
            self.journal.end(name, "refused", words=str(error))
        except StorageError as error:
            self.journal.end(name, "failed", words=str(error))
        else:
            change = self.made.pop(name)
            self.journal.end(name, "done", seq=change.seq, rows=_shown(change))
            return change
        return None

    async def follow(self) -> None:
        """Take over what the others do, and the keys they made."""
        storage = self.live.services.storage
        while True:
            try:
                seq = await to_thread.run_sync(storage.wait, 1, self.live.state.seq, 1.0, abandon_on_cancel=True)
                await self.live.catch_up(seq)
            except StorageError:
                await anyio.sleep(0.1)
            known = Path(sys.argv[2]).with_name("keys")
            lines = known.read_text().splitlines(keepends=True) if known.exists() else []
            self.keys = [(int(key), text) for key, text in (line.split() for line in lines[-60:] if line[-1] == "\n")]


def _shown(change: Change) -> dict[str, list[dict[str, object]]]:
    shown: dict[str, list[dict[str, object]]] = {}
    for record in change.puts:
        if record.table in SHOWN:
            row = {name: getattr(record, name) for name in SHOWN[record.table]}
            shown.setdefault(record.table, []).append(row)
    return shown


async def _wish_on(replica: Replica) -> None:
    while True:
        await replica.wish()
        await checkpoint()


async def main(url: str, journal: str, name: str) -> None:
    storage = SqlStorage(database_of(url, Path()))
    tailnet = await to_thread.run_sync(_opened, storage)
    replica = Replica(tailnet, Journal(Path(journal)), name)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(replica.follow)
        for _ in range(AT_ONCE):
            tasks.start_soon(_wish_on, replica)
        await to_thread.run_sync(sys.stdin.read, abandon_on_cancel=True)
        tasks.cancel_scope.cancel()
    storage.close()


def _opened(storage: SqlStorage) -> ScratchTailnet:
    """A live tailnet on the storage, though connections be cut in the middle of opening it."""
    while True:
        try:
            storage.open()
            return ScratchTailnet(storage=storage)
        except StorageError:
            time.sleep(0.1)


if __name__ == "__main__":
    anyio.run(main, *sys.argv[1:])
