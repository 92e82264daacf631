"""What plugins keep in the tailnet's state, each under keys of its own."""

from datetime import datetime

from hatsize.tailnet.errors import InvalidError
from hatsize.tailnet.model import Change, PluginItem
from hatsize.tailnet.state import State

LONGEST_KEY = 255
"""Characters."""
LARGEST_VALUE = 65536
"""Octets. Every replica has all values in memory."""


def item_of(state: State, plugin: str, key: str, now: datetime) -> PluginItem | None:
    """What a plugin keeps under a key; None for what was never put, was deleted, or is over."""
    item = _stored(state, plugin, key)
    return item if item is not None and _is_good(item, now) else None


def items_of(state: State, plugin: str, prefix: str, now: datetime) -> list[PluginItem]:
    """What a plugin keeps under keys that begin so, in the order of the keys."""
    ids = state.index.plugin_items.get(plugin, {})
    items = (state.get(PluginItem, ids[key]) for key in sorted(ids) if key.startswith(prefix))
    return [item for item in items if _is_good(item, now)]


def put_item(
    state: State, plugin: str, key: str, value: bytes, now: datetime, *, expires: datetime | None = None
) -> Change | None:
    """A plugin keeps a value under a key, instead of what was there; None when that is so already.

    Raises InvalidError that names the key.
    """
    _check(plugin, key, value, expires)
    former = _stored(state, plugin, key)
    item = PluginItem(
        id=former.id if former else state.next_id(PluginItem),
        tailnet=state.tailnet_id,
        plugin=plugin,
        key=key,
        value=value,
        expires=expires,
    )
    if item == former:
        return None
    return Change(tailnet=state.tailnet_id, kind="plugin.item_set", puts=(item,), actor=plugin, at=now)


def delete_item(state: State, plugin: str, key: str, now: datetime) -> Change | None:
    """A plugin keeps nothing under a key; None when that is so already."""
    former = _stored(state, plugin, key)
    return _deleted(state, [former], now, actor=plugin) if former else None


def forget_items(state: State, now: datetime, *, actor: str) -> Change | None:
    """The items go whose time is over; None when there are none."""
    over = [item for item in state.all(PluginItem) if not _is_good(item, now)]
    return _deleted(state, over, now, actor=actor) if over else None


def _deleted(state: State, items: list[PluginItem], now: datetime, *, actor: str) -> Change:
    gone = tuple((PluginItem.table, item.id) for item in items)
    return Change(tailnet=state.tailnet_id, kind="plugin.item_deleted", deletes=gone, actor=actor, at=now)


def _stored(state: State, plugin: str, key: str) -> PluginItem | None:
    return state.find(PluginItem, state.index.plugin_items.get(plugin, {}).get(key))


def _is_good(item: PluginItem, now: datetime) -> bool:
    return item.expires is None or item.expires > now


def _check(plugin: str, key: str, value: bytes, expires: datetime | None) -> None:
    if not 0 < len(key) <= LONGEST_KEY or not key.isprintable():
        raise InvalidError(
            f"plugin {plugin!r} cannot keep anything under {key[:80]!r}: "
            f"a key has 1 to {LONGEST_KEY} characters, all of them printable"
        )
    if len(value) > LARGEST_VALUE:
        raise InvalidError(
            f"plugin {plugin!r} cannot keep {len(value)} octets under {key!r}: at most {LARGEST_VALUE} are kept, "
            "so divide them among several keys, or keep a file"
        )
    if expires is not None and expires.utcoffset() is None:
        raise InvalidError(f"plugin {plugin!r} gives {key!r} an expiry without a time zone: give it in UTC")
