"""The files beside the storage: Headscale's private keys and the settings, all written or none."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hatsize.importing.findings import Findings, ImportRefusedError
from hatsize.wire.keys import KeyFormatError, PrivateKey

NOISE_KEY = "noise.key"
RELAY_KEY = "derp.key"
SETTINGS = "hatsize.toml"


def read_key(path: Path | None, what: str) -> str | None:
    """The text of a private key file, None where there is no such file; raises ImportRefusedError."""
    if path is None:
        return None
    try:
        return PrivateKey.parse(path.read_text()).text()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ImportRefusedError(f"{what} {path} cannot be read: {error.strerror}; run this as root") from error
    except (KeyFormatError, UnicodeDecodeError) as error:
        raise ImportRefusedError(f"{what} {path} does not hold a private key: restore it from a backup") from error


def tell_of_kept(directory: Path, files: Mapping[str, str], findings: Findings) -> None:
    """Tell of settings that are there already, and stay though they would be written otherwise now."""
    path = directory / SETTINGS
    if path.exists() and path.read_text("utf-8") != files[SETTINGS]:
        findings.note("settings", f"{path} stays as it is: remove it and import again to have it written anew")


@contextmanager
def written(directory: Path, files: Mapping[str, str]) -> Iterator[None]:
    """The files are there inside, readable by their owner alone; where the inside fails, all is as it was.

    What is there already stays.
    """
    fresh = not directory.exists()
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    missing = {directory / name: text for name, text in files.items() if not (directory / name).exists()}
    try:
        for path, text in missing.items():
            _write(path, text)
        yield
    except BaseException:
        for path in missing:
            path.unlink(missing_ok=True)
        if fresh and not any(directory.iterdir()):
            directory.rmdir()
        raise


def _write(path: Path, text: str) -> None:
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text.rstrip("\n") + "\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
