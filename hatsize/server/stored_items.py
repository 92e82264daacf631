"""What a plugin keeps, read from the storage itself: for commands, which run beside the server or without it."""

from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime

from hatsize.hooks.storage import Storage
from hatsize.tailnet.commands.plugin_items import items_of
from hatsize.tailnet.state import State


def stored_items(storage: Storage, plugin: str) -> Mapping[str, bytes]:
    """The values by key; StorageError. The storage is not open, and closed again."""
    storage.open()
    with closing(storage):
        tailnets = storage.tailnets()
        if not tailnets:
            return {}
        number = tailnets[0].id
        snapshot = storage.load(number)
    state = State.load(number, snapshot.seq, snapshot.records, snapshot.last_ids)
    return {item.key: item.value for item in items_of(state, plugin, "", datetime.now(UTC))}
