"""Who may use the relay: everybody, the nodes of a control server in this process, or those another server names."""

from collections.abc import Awaitable, Callable

from hatsize.wire.keys import NodeKey


async def everybody(key: NodeKey, address: str) -> bool:  # noqa: ARG001
    """Admit any key."""
    return True


def known_nodes(is_known: Callable[[NodeKey, str], bool]) -> Callable[[NodeKey, str], Awaitable[bool]]:
    """Admit the nodes a control server in this process knows, registered a moment ago or not."""

    async def admit(key: NodeKey, address: str) -> bool:
        return is_known(key, address)

    return admit
