"""The policy in a file: put in force at the start and whenever the file changes."""

import logging
from pathlib import Path

import anyio
from anyio import to_thread
from msgspec.structs import replace

from hatsize.hooks.storage import StorageError
from hatsize.live.tailnet import LiveTailnet
from hatsize.policy.errors import PolicyError
from hatsize.server.logs import log_bug
from hatsize.server.watched_files import Stamp, stamp
from hatsize.tailnet.commands.policy import policy_in_force, save_policy
from hatsize.tailnet.model import Change
from hatsize.tailnet.state import State

log = logging.getLogger(__name__)

LOOK_EVERY = 0.2
"""Seconds between looks at the file. A file that changed is read when two looks in a row found the same."""


class PolicyFile:
    """Keeps the policy of a tailnet what a file says. An edit that is refused leaves the former policy in force."""

    def __init__(self, live: LiveTailnet, path: Path) -> None:
        self.path = path
        self.problem = ""
        """Why the policy in force is not what the file says; empty when it is."""
        self._live = live
        self._loaded: Stamp = None

    async def load(self) -> None:
        """Put in force what the file says. Raises OSError, PolicyError with the text's fault, and StorageError."""
        self._loaded = await to_thread.run_sync(stamp, self.path)
        document = await to_thread.run_sync(_read, self.path)
        change = await self._live.run(lambda state: self._saved(state, document))
        if change is not None:
            log.info("the policy of %s is in force", self.path)
        self.problem = ""

    async def reload(self) -> None:
        """The same when the server runs: what fails is told, by log and as `problem`."""
        try:
            await self.load()
        except Exception as error:  # noqa: BLE001 - a policy engine may be a plugin's, and raise anything
            self.problem = f"{self.path} is not in force, the former policy is: {words(error)}"
            log.error("policy: %s", self.problem)  # noqa: TRY400 - mostly a fault of the file, not of the program

    async def follow(self) -> None:
        """Reload when the file has changed, until cancelled."""
        former = self._loaded
        while True:
            await anyio.sleep(LOOK_EVERY)
            seen = await to_thread.run_sync(stamp, self.path)
            if seen != self._loaded and seen == former:
                await self.reload()
            former = seen

    def _saved(self, state: State, document: str) -> Change | None:
        """The file's policy as a new version; None when it is the one in force."""
        found = policy_in_force(state)
        if found is not None and found.document == document:
            return None
        check, now = self._live.services.policy.check, self._live.clock()
        author = f"file {self.path.name}"
        return replace(save_policy(state, document, check, now, author=author), actor=author)


def words(error: Exception) -> str:
    """Why a file's policy is not taken, with the tests that failed."""
    match error:
        case OSError():
            return f"it cannot be read: {error.strerror or error}"
        case PolicyError():
            failures = [f"{each['user']}: {text}" for each in error.data for text in each.get("errors", ())]
            return "; ".join([error.message, *failures])
        case StorageError():
            return f"it cannot be stored: {error}"
    return f"an error of the server's own: look for bug={log_bug(log, 'reading the policy', error)} in its log"


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise PolicyError(f"it is not UTF-8 text: byte {error.start} is wrong") from None
