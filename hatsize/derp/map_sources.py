"""DERP maps from files and URLs, in JSON or YAML, read again from time to time."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import anyio
import msgspec
import yaml

from hatsize.derp.map import DERPMapError, check, merge
from hatsize.wire.tailcfg import DERPMap, WireError, decode

_log = logging.getLogger(__name__)

Fetch = Callable[[str], Awaitable[bytes]]
"""An HTTP GET: the body of a good answer; raises OSError for any other."""


def parse(text: bytes, source: str) -> DERPMap:
    """Read a DERP map in JSON or YAML; raises DERPMapError that names the source."""
    try:
        plain = yaml.safe_load(text)
        return check(decode(DERPMap, msgspec.json.encode(plain)))
    except yaml.YAMLError as error:
        raise DERPMapError(f"{source} is neither JSON nor YAML: {error}") from error
    except (WireError, DERPMapError, TypeError) as error:
        raise DERPMapError(f"{source}: {error}") from error


class MapSources:
    """The map that the settings' files and URLs and this server's own region make together.

    URLs come first, then files, then our own region, so that what is closest has the last word. A source that fails
    later keeps what it said last.
    """

    def __init__(self, *, urls: Sequence[str] = (), paths: Sequence[Path] = (), own: DERPMap, fetch: Fetch) -> None:
        self._urls = urls
        self._paths = paths
        self._own = own
        self._fetch = fetch
        self._said: dict[str, DERPMap] = {}
        self.current = own
        """The merged map."""

    def take_own(self, own: DERPMap) -> None:
        """The server's own region is another one now."""
        self._own = own
        self._merge()

    async def load(self) -> DERPMap:
        """Read everything; files must be readable and right, a URL may fail. Raises DERPMapError."""
        for path in self._paths:
            self._said[str(path)] = parse(await self._read(path), str(path))
        for url in self._urls:
            await self._attempt(url, self._fetch(url))
        return self._merge()

    async def refresh(self, every: float, changed: Callable[[DERPMap], Awaitable[None]]) -> None:
        """Read everything again every so many seconds until cancelled, and tell of each change."""
        while True:
            await anyio.sleep(every)
            before = self.current
            for path in self._paths:
                await self._attempt(str(path), self._read(path))
            for url in self._urls:
                await self._attempt(url, self._fetch(url))
            if self._merge() != before:
                _log.info("the DERP map has changed")
                await changed(self.current)

    def _merge(self) -> DERPMap:
        sources = [*self._urls, *map(str, self._paths)]
        merged = merge([*(self._said[each] for each in sources if each in self._said), self._own])
        try:
            self.current = check(merged)
        except DERPMapError as error:
            _log.warning("the DERP map stays as it was: merged, %s", error)
        return self.current

    async def _attempt(self, source: str, reading: Awaitable[bytes]) -> None:
        try:
            self._said[source] = parse(await reading, source)
        except (OSError, TimeoutError) as error:
            _log.warning("no DERP map from %s: %s", source, error)
        except DERPMapError as error:
            _log.warning("an unusable DERP map: %s", error)

    @staticmethod
    async def _read(path: Path) -> bytes:
        try:
            return await anyio.Path(path).read_bytes()
        except OSError as error:
            raise DERPMapError(f"{path}: {error.strerror}") from error
