"""The challenges that are published, wherever that is, until they are taken away. Kept in the tailnet's state, so that
every replica knows them and a restart forgets none."""

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import sha256

import dns.rdata
from dns.name import Name
from dns.rdata import Rdata
from dns.rdataclass import IN
from dns.rdatatype import TXT

from hatsize.hooks.lifecycle import PluginStore
from hatsize_dns.asker import Asker
from hatsize_dns.layers import FixedLayer, Sets
from hatsize_dns.names import absolute

log = logging.getLogger(__name__)

PREFIX = "challenge/"
MOST_OF_A_NAME = 16
"""Values that one name may have at once."""
TTL = 1
AGAIN = 60.0
"""Seconds after which a removal that failed is tried again."""
MOST_TRIES = 60


class TooManyError(Exception):
    """A name has as many challenges as it may."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """One TXT record."""

    publisher: str
    """Whose it is to take away."""
    name: str
    """In lower case, without the dot at the end."""
    value: str
    until: float
    """Seconds since 1970."""
    tries: int = 0
    """How often it could not be taken away."""

    @property
    def key(self) -> str:
        """What it is kept under: a name alone may be as long as a key."""
        record = json.dumps([self.publisher, self.name, self.value])
        return PREFIX + sha256(record.encode()).hexdigest()

    def packed(self) -> bytes:
        """What is kept of it."""
        return json.dumps(asdict(self)).encode()


class Challenges:
    """All challenges of this server. Methods that change something raise StorageError."""

    _store: PluginStore

    def __init__(self) -> None:
        self._packed: Mapping[str, bytes] = {}
        self._all: list[Challenge] = []
        self._layers: dict[str, FixedLayer] = {}

    def keep_in(self, store: PluginStore) -> None:
        """Say where they are kept, before anything else: the server's store, which is there when it runs."""
        self._store = store

    def __iter__(self) -> Iterator[Challenge]:
        return iter(self._read())

    def layer(self, publisher: str) -> FixedLayer:
        """A publisher's, as names of a zone."""
        everything = self._read()
        if publisher not in self._layers:
            mine = [each for each in everything if each.publisher == publisher]
            self._layers[publisher] = FixedLayer(map(_record, mine))
        return self._layers[publisher]

    def of(self, name: str, publisher: str) -> list[Challenge]:
        """A name's."""
        return [each for each in self._read() if each.name == name and each.publisher == publisher]

    async def add(self, challenge: Challenge) -> None:
        """Take one in, or let one that is there last longer; TooManyError."""
        others = [each for each in self.of(challenge.name, challenge.publisher) if each.value != challenge.value]
        if len(others) >= MOST_OF_A_NAME:
            raise TooManyError(
                f"{MOST_OF_A_NAME} challenges of {challenge.name} are published: wait until they are gone"
            )
        await self._store.put(challenge.key, challenge.packed())

    def due(self, now: float) -> list[Challenge]:
        """Those whose time is over."""
        return [each for each in self._read() if each.until <= now]

    async def remove(self, challenge: Challenge) -> None:
        """Forget one that was taken away; one that was published again meanwhile stays."""
        await self._store.swap(challenge.key, challenge.packed(), None)

    async def postpone(self, challenge: Challenge, now: float) -> bool:
        """Keep one that could not be taken away for another try; False when there were enough of them."""
        if challenge.tries + 1 >= MOST_TRIES:
            await self.remove(challenge)
            return False
        later = replace(challenge, until=now + AGAIN, tries=challenge.tries + 1)
        await self._store.swap(challenge.key, challenge.packed(), later.packed())
        return True

    def _read(self) -> list[Challenge]:
        packed = self._store.items(PREFIX)
        if packed != self._packed:
            self._packed = packed
            self._all = list(unpacked(packed))
            self._layers.clear()
        return self._all


class ServedChallenges:
    """A publisher's challenges as a layer of zones, which follows them."""

    def __init__(self, challenges: Challenges, publisher: str) -> None:
        self._challenges = challenges
        self._publisher = publisher

    def at(self, name: Name, asker: Asker) -> Sets | None:
        return self._challenges.layer(self._publisher).at(name, asker)


def unpacked(stored: Mapping[str, bytes]) -> Iterator[Challenge]:
    """The challenges among what is stored, with a word in the log for what cannot be used."""
    for key, packed in stored.items():
        if key.startswith(PREFIX):
            try:
                yield Challenge(**json.loads(packed))
            except (ValueError, TypeError) as error:
                log.warning("%s is not used, what it held may stay published: %s", key, error)


def _record(challenge: Challenge) -> tuple[Name, int, Rdata]:
    return absolute(challenge.name), TTL, dns.rdata.from_text(IN, TXT, f'"{challenge.value}"')
