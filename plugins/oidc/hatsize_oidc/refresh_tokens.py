"""Refresh tokens, kept over restarts: a file in the data directory, for the server's own eyes."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import anyio
import msgspec
from anyio import to_thread

from hatsize.tailnet.model import Identity

log = logging.getLogger("hatsize.oidc")

FILE = "refresh-tokens.json"


class Kept(msgspec.Struct, frozen=True):
    """One person's token."""

    provider: str
    subject: str
    token: str

    def __repr__(self) -> str:
        return f"Kept({self.provider!r}, {self.subject!r})"

    @property
    def identity(self) -> Identity:
        return Identity(self.provider, self.subject)


class RefreshTokens:
    """The newest refresh token of everybody who has logged in. Each change is on the disk when its call returns."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._tokens: dict[Identity, Kept] = {}
        self._saving = anyio.Lock()

    def load(self) -> None:
        """Read what was kept; a file that cannot be read is set aside, and its people are asked when they log in."""
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=list[Kept])
        except FileNotFoundError:
            return
        except (OSError, msgspec.MsgspecError) as error:
            log.warning("cannot read %s, so who logged in before is asked for no more: %s", self._path, error)
            return
        self._tokens = {one.identity: one for one in kept}

    def __iter__(self) -> Iterator[Kept]:
        return iter(list(self._tokens.values()))

    def get(self, identity: Identity) -> str:
        """Somebody's token; empty where there is none."""
        kept = self._tokens.get(identity)
        return kept.token if kept else ""

    async def keep(self, identity: Identity, token: str) -> None:
        """Take over somebody's newest token. Raises OSError."""
        self._tokens[identity] = Kept(identity.provider, identity.subject, token)
        await self._save()

    async def forget(self, identity: Identity) -> None:
        """Somebody's token is of no more use. Raises OSError."""
        if self._tokens.pop(identity, None) is not None:
            await self._save()

    async def _save(self) -> None:
        async with self._saving:
            await to_thread.run_sync(_write, self._path, msgspec.json.encode(list(self._tokens.values())))


def _write(path: Path, content: bytes) -> None:
    """Put a file in place whole, readable by nobody else."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
