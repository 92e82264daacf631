"""Hearing what the other replicas notify of."""

from collections.abc import Callable
from dataclasses import dataclass

import anyio

from hatsize_cluster import notices
from hatsize_cluster.database import connected
from hatsize_cluster.others import Others
from hatsize_cluster.tether import channel_of


@dataclass(frozen=True, slots=True)
class Hearing:
    """Listens on a connection of its own, which is tried every so many seconds."""

    info: str
    every: float
    others: Others
    epoch: Callable[[], int]
    """The own one."""
    nodes_changed: Callable[[], None]
    look: Callable[[], None]
    """Something was missed, or is to be looked at."""
    letter: Callable[[int], object]
    """There is a letter of that number."""

    async def listen(self) -> None:
        """Listen for as long as a connection lasts."""
        async with await connected(self.info) as connection:
            await connection.execute(f"LISTEN {await channel_of(connection)}".encode())
            self.look()
            while True:
                async for notification in connection.notifies(timeout=self.every):
                    self.hear(notices.read(notification.payload))
                with anyio.fail_after(self.every):
                    await connection.execute("SELECT 1")

    def hear(self, notice: notices.Notice) -> None:
        """Take one notification in."""
        if notice.to:
            if notice.to == self.epoch():
                self.letter(notice.letter)
        elif not notice.epoch:
            self.look()
        elif notice.epoch != self.epoch():
            if self.others.change(notice.epoch, notice.serial, notice.came, notice.left):
                self.nodes_changed()
            else:
                self.look()
