"""The file in which earlier releases kept challenges, one replica's own."""

import json
import logging
from pathlib import Path

from anyio import to_thread

from hatsize.hooks.storage import StorageError
from hatsize_dns.challenges import Challenge, Challenges, TooManyError

log = logging.getLogger(__name__)

FILE = "challenges.json"


async def take_over(folder: Path, challenges: Challenges) -> None:
    """Keep what is in the file, and remove it: it is all to be taken away some day.

    One that cannot be read is told and left. While the storage refuses, it stays for the next start.
    """
    path = folder / FILE
    try:
        for challenge in await to_thread.run_sync(_read, path):
            await challenges.add(challenge)
        await to_thread.run_sync(lambda: path.unlink(missing_ok=True))
    except FileNotFoundError:
        return
    except (OSError, ValueError, TypeError) as error:
        log.warning("%s is not used, what it held may stay published: %s", path, error)
    except (StorageError, TooManyError) as error:
        log.warning("%s is not taken over before the next start: %s", path, error)


def _read(path: Path) -> list[Challenge]:
    return [Challenge(**each) for each in json.loads(path.read_text("utf-8"))]
