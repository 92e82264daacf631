"""The challenges that are published, wherever that is, until they are taken away. Kept in a file, so that a restart
forgets none."""

import json
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import dns.rdata
from dns.name import Name
from dns.rdata import Rdata
from dns.rdataclass import IN
from dns.rdatatype import TXT

from hatsize_dns.asker import Asker
from hatsize_dns.layers import FixedLayer, Sets
from hatsize_dns.names import absolute

log = logging.getLogger(__name__)

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


class Challenges:
    """All challenges of this server. What is written to the file is what is true."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._all: list[Challenge] = read(path)
        self._layers: dict[str, FixedLayer] = {}

    def __iter__(self) -> Iterator[Challenge]:
        return iter(self._all)

    def layer(self, publisher: str) -> FixedLayer:
        """A publisher's, as names of a zone."""
        if publisher not in self._layers:
            mine = [each for each in self._all if each.publisher == publisher]
            self._layers[publisher] = FixedLayer(map(_record, mine))
        return self._layers[publisher]

    def of(self, name: str, publisher: str) -> list[Challenge]:
        """A name's."""
        return [each for each in self._all if each.name == name and each.publisher == publisher]

    def add(self, challenge: Challenge) -> None:
        """Take one in, or let one that is there last longer; TooManyError."""
        same = [each for each in self.of(challenge.name, challenge.publisher) if each.value == challenge.value]
        if not same and len(self.of(challenge.name, challenge.publisher)) >= MOST_OF_A_NAME:
            raise TooManyError(
                f"{MOST_OF_A_NAME} challenges of {challenge.name} are published: wait until they are gone"
            )
        self._keep([*(each for each in self._all if each not in same), challenge])

    def due(self, now: float) -> list[Challenge]:
        """Those whose time is over."""
        return [each for each in self._all if each.until <= now]

    def remove(self, challenge: Challenge) -> None:
        """Forget one that was taken away."""
        self._keep([each for each in self._all if each != challenge])

    def postpone(self, challenge: Challenge, now: float) -> bool:
        """Keep one that could not be taken away for another try; False when there were enough of them."""
        self.remove(challenge)
        if challenge.tries + 1 >= MOST_TRIES:
            return False
        self._keep([*self._all, replace(challenge, until=now + AGAIN, tries=challenge.tries + 1)])
        return True

    def _keep(self, challenges: list[Challenge]) -> None:
        self._all = challenges
        self._layers.clear()
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside = self._path.with_suffix(".new")
        beside.write_text(json.dumps([asdict(each) for each in challenges], indent=1), "utf-8")
        beside.replace(self._path)


class ServedChallenges:
    """A publisher's challenges as a layer of zones, which follows them."""

    def __init__(self, challenges: Challenges, publisher: str) -> None:
        self._challenges = challenges
        self._publisher = publisher

    def at(self, name: Name, asker: Asker) -> Sets | None:
        return self._challenges.layer(self._publisher).at(name, asker)


def read(path: Path) -> list[Challenge]:
    """The challenges of a file; none, with a word in the log, where it cannot be used."""
    try:
        return [Challenge(**each) for each in json.loads(path.read_text("utf-8"))]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        log.warning("%s is not used, what it held may stay published: %s", path, error)
        return []


def _record(challenge: Challenge) -> tuple[Name, int, Rdata]:
    return absolute(challenge.name), TTL, dns.rdata.from_text(IN, TXT, f'"{challenge.value}"')
