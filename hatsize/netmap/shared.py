"""The JSON of values that many readers are told, encoded once for as long as they are told the same object."""

from collections.abc import Sequence

from msgspec.structs import replace

from hatsize.netmap.pieces import Part, Piece
from hatsize.wire import tailcfg
from hatsize.wire.tailcfg import FilterRule

KEPT = 512
"""Values whose JSON is kept; the oldest goes first."""
MANY = 32
"""Sources from which on a rule's are a piece of their own, compressed for all at once."""
_NO_SOURCES = b'{"SrcIPs":[]'


class Shared:
    """Remembers by identity: to compare a list of ten thousand addresses costs as much as to encode it."""

    def __init__(self) -> None:
        self._json: dict[int, tuple[object, bytes]] = {}
        self._sources: dict[int, tuple[Sequence[str], Piece]] = {}

    def json(self, value: object) -> bytes:
        """The value's JSON."""
        kept = self._json.get(id(value))
        if kept is None:
            kept = self._json[id(value)] = (value, tailcfg.encode(value))
            _limit(self._json)
        return kept[1]

    def rule(self, rule: FilterRule) -> tuple[Part, ...]:
        """A filter rule's JSON."""
        if len(rule.SrcIPs) < MANY:
            return (tailcfg.encode(rule),)
        rest = tailcfg.encode(replace(rule, SrcIPs=()))
        return b'{"SrcIPs":', self._many(rule.SrcIPs), rest[len(_NO_SOURCES) :]

    def _many(self, sources: Sequence[str]) -> Piece:
        kept = self._sources.get(id(sources))
        if kept is None:
            kept = self._sources[id(sources)] = (sources, Piece(tailcfg.encode(sources)))
            _limit(self._sources)
        return kept[1]


def _limit(kept: dict[int, tuple[object, bytes]] | dict[int, tuple[Sequence[str], Piece]]) -> None:
    if len(kept) > KEPT:
        del kept[next(iter(kept))]
