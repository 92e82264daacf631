"""The file in which earlier releases kept refresh tokens, one replica's own."""

import logging
from pathlib import Path

import msgspec
from anyio import to_thread

from hatsize.hooks.storage import StorageError
from hatsize.tailnet.model import Identity
from hatsize_oidc.refresh_tokens import RefreshTokens

log = logging.getLogger("hatsize.oidc")

FILE = "refresh-tokens.json"
UNREADABLE = ".unreadable"
"""The ending of one that is set aside."""


class Line(msgspec.Struct, frozen=True):
    """One person's token."""

    provider: str
    subject: str
    token: str

    def __repr__(self) -> str:
        return f"Line({self.provider!r}, {self.subject!r})"


async def take_over(folder: Path, tokens: RefreshTokens) -> None:
    """Keep what is in the file, where nothing newer is kept, and remove it.

    One that cannot be read is set aside, and its people are asked about after their next login. While the storage
    refuses, it stays for the next start.
    """
    path = folder / FILE
    try:
        lines = await to_thread.run_sync(_read, path)
        for line in lines:
            await tokens.keep_first(Identity(line.provider, line.subject), line.token)
        await to_thread.run_sync(lambda: path.unlink(missing_ok=True))
    except StorageError as error:
        log.warning("%s is not taken over before the next start: %s", path, error)
    except OSError as error:
        log.warning("cannot remove %s: %s", path, error)


def _read(path: Path) -> list[Line]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Line])
    except FileNotFoundError:
        return []
    except (OSError, msgspec.MsgspecError) as error:
        log.warning("cannot read %s, so who logged in before is asked about after their next login: %s", path, error)
        path.rename(path.with_suffix(path.suffix + UNREADABLE))
        return []
