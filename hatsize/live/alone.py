"""A process that shares its storage with nobody."""

from hatsize.hooks.storage import Storage


class Alone:
    """Implements `hatsize.hooks.replicas.Replication` for one process: everything is its own."""

    name = "alone"

    def shared_secret(self, storage: Storage, name: str, ours: bytes) -> bytes:
        del storage, name
        return ours

    def is_ours(self, duty: str) -> bool:
        del duty
        return True

    def is_followed(self) -> bool:
        return False

    def here(self, node_id: int, connected: bool) -> None:
        """Nobody else has to know."""

    def found(self) -> None:
        """Nobody else has to know."""

    async def ask(self, node_id: int, types: str, payload: bytes, within: float) -> bytes | None:
        del node_id, types, payload, within
        return None
