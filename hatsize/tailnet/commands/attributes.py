"""Posture attributes of a node, as set by an administrator, by the API, or by the node itself."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from hatsize.tailnet.errors import InvalidError
from hatsize.tailnet.model import Change, Node
from hatsize.tailnet.state import State

Value = str | float | bool | None


@dataclass(frozen=True, slots=True)
class Passing:
    """A value that is forgotten at a time."""

    value: str | float | bool
    expiry: datetime


Given = Value | Passing

KEY = re.compile(r"custom:[A-Za-z0-9_:]{1,121}")
TEXT = re.compile(r"[A-Za-z0-9_.]{0,50}")


def set_attributes(
    state: State, node_id: int, update: Mapping[str, Given], now: datetime, *, actor: str
) -> Change | None:
    """Set attributes of a node, delete those whose value is None. An attribute keeps the type it was first given.

    Raises NotFoundError, and InvalidError that names the attribute.
    """
    return set_attributes_of(state, {node_id: update}, now, actor=actor)


def set_attributes_of(
    state: State, updates: Mapping[int, Mapping[str, Given]], now: datetime, *, actor: str
) -> Change | None:
    """The same for several nodes, by id: for all of them, or for none when one of them is refused."""
    nodes = [state.get(Node, node_id) for node_id in updates]
    return _changed(state, nodes, [_updated(node, updates[node.id], now) for node in nodes], now, actor)


def forget_attributes(state: State, now: datetime, *, actor: str) -> Change | None:
    """The attributes go whose time is over; None when there are none."""
    nodes = [node for node in state.all(Node) if node.attribute_expiries]
    return _changed(state, nodes, [_reminded(node, now) for node in nodes], now, actor)


def _changed(state: State, old: Sequence[Node], new: Sequence[Node], now: datetime, actor: str) -> Change | None:
    puts = tuple(node for former, node in zip(old, new, strict=True) if node != former)
    if not puts:
        return None
    return Change(tailnet=state.tailnet_id, kind="node.updated", puts=puts, actor=actor, at=now)


def _updated(node: Node, update: Mapping[str, Given], now: datetime) -> Node:
    attributes, expiries = dict(node.attributes), dict(node.attribute_expiries or {})
    for name, given in update.items():
        value, expiry = (given.value, given.expiry) if isinstance(given, Passing) else (given, None)
        _check(name, value, attributes.get(name))
        attributes.pop(name, None)
        expiries.pop(name, None)
        if value is not None:
            attributes[name] = value
        if expiry is not None:
            if expiry <= now:
                raise InvalidError(f"attribute {name!r}: its expiry, {expiry:%Y-%m-%d %H:%M:%S} UTC, is over")
            expiries[name] = expiry
    return replace(node, attributes=attributes, attribute_expiries=expiries or None)


def _reminded(node: Node, now: datetime) -> Node:
    """The node without what is to be forgotten."""
    kept = {name: expiry for name, expiry in (node.attribute_expiries or {}).items() if expiry > now}
    over = (node.attribute_expiries or {}).keys() - kept.keys()
    attributes = {name: value for name, value in node.attributes.items() if name not in over}
    return replace(node, attributes=attributes, attribute_expiries=kept or None)


def _check(name: str, value: Value, former: object) -> None:
    if not KEY.fullmatch(name):
        raise InvalidError(
            f"attribute {name!r}: use custom: and up to 121 letters, digits, underscores and colons behind it"
        )
    if isinstance(value, str) and not TEXT.fullmatch(value):
        raise InvalidError(f"attribute {name!r}: a text has at most 50 letters, digits, underscores and dots")
    if isinstance(value, float | int) and abs(value) >= 2**53:
        raise InvalidError(f"attribute {name!r}: a number is below 2^53")
    if value is not None and former is not None and type(value) is not type(former):
        raise InvalidError(f"attribute {name!r} is a {type(former).__name__}: delete it first to change its type")
