"""Which nodes changed since when, and in what respect."""

from bisect import bisect_right
from dataclasses import dataclass
from enum import IntFlag


class Aspect(IntFlag):
    """A respect in which peers see a node change. All but WHOLE, and OWNER, which comes with it, can be patched."""

    WHOLE = 1
    ENDPOINTS = 2
    HOME_DERP = 4
    DISCO_KEY = 8
    ONLINE = 16
    KEY_EXPIRY = 32
    CAP_VERSION = 64
    OWNER = 128


@dataclass(frozen=True, slots=True)
class Dirty:
    """The nodes that changed in a span of versions, as bitsets of ordinals."""

    whole: int
    """Must be sent anew."""
    patched: int
    """Can be patched; disjoint from `whole`."""
    aspects: dict[int, Aspect]
    """What to patch, by ordinal."""
    owner: int = 0
    """Those of `whole` whose owner is another one, or is shown otherwise."""


NOTHING = Dirty(0, 0, {})


class Journal:
    """The changes of nodes in order of version, as far back as anybody may ask."""

    LIMIT = 16384

    def __init__(self, version: int) -> None:
        self.floor = version
        """Questions about spans that begin before this version cannot be answered."""
        self.head = version
        self._versions: list[int] = []
        self._entries: list[tuple[int, Aspect]] = []
        self._memo: dict[int, Dirty] = {}

    def note(self, version: int, ordinal: int, aspects: Aspect) -> None:
        self.head = version
        self._versions.append(version)
        self._entries.append((ordinal, aspects))
        self._memo.clear()
        if len(self._versions) > self.LIMIT:
            self._trim()

    def since(self, version: int) -> Dirty | None:
        """What changed after `version`; None when that is too long ago to know."""
        if version >= self.head:
            return NOTHING
        if version < self.floor:
            return None
        dirty = self._memo.get(version)
        if dirty is None:
            dirty = self._memo[version] = self._collect(version)
        return dirty

    def _collect(self, version: int) -> Dirty:
        whole = patched = owner = 0
        aspects: dict[int, Aspect] = {}
        for ordinal, aspect in self._entries[bisect_right(self._versions, version) :]:
            if aspect & Aspect.WHOLE:
                whole |= 1 << ordinal
                owner |= bool(aspect & Aspect.OWNER) << ordinal
            else:
                patched |= 1 << ordinal
                aspects[ordinal] = aspects.get(ordinal, Aspect(0)) | aspect
        return Dirty(whole, patched & ~whole, aspects, owner)

    def _trim(self) -> None:
        keep = self.LIMIT // 2
        self.floor = self._versions[-keep - 1]
        del self._versions[:-keep], self._entries[:-keep]
