"""Two changes of one node that were made from the same former state, brought together."""

from typing import Any

from msgspec.structs import replace

from hatsize.tailnet.model import Node


def merged(base: Node, ours: Node, theirs: Node) -> Node:
    """`theirs`, with the fields in which `ours` differs from `base`."""
    fields: dict[str, Any] = {
        name: mine for name in Node.__struct_fields__ if (mine := getattr(ours, name)) != getattr(base, name)
    }
    return replace(theirs, **fields) if fields else theirs
