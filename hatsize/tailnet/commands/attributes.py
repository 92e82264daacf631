"""Posture attributes of a node, as set by an administrator, by the API, or by the node itself."""

import re
from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import replace

from hatsize.tailnet.errors import InvalidError
from hatsize.tailnet.model import Change, Node
from hatsize.tailnet.state import State

Value = str | float | bool | None

KEY = re.compile(r"custom:[A-Za-z0-9_:]{1,121}")
TEXT = re.compile(r"[A-Za-z0-9_.]{0,50}")


def set_attributes(
    state: State, node_id: int, update: Mapping[str, Value], now: datetime, *, actor: str
) -> Change | None:
    """Set attributes of a node, delete those whose value is None. An attribute keeps the type it was first given.

    Raises NotFoundError, and InvalidError that names the attribute.
    """
    node = state.get(Node, node_id)
    attributes = dict(node.attributes)
    for name, value in update.items():
        _check(name, value, attributes.get(name))
        if value is None:
            attributes.pop(name, None)
        else:
            attributes[name] = value
    if attributes == node.attributes:
        return None
    new = replace(node, attributes=attributes)
    return Change(tailnet=state.tailnet_id, kind="node.updated", puts=(new,), actor=actor, at=now)


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
