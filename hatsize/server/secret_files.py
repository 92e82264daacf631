"""Keys kept in the data directory: made at the first start, readable by the server's user alone."""

import os
from pathlib import Path

from hatsize.wire.keys import KeyFormatError, PrivateKey


class SecretFileError(Exception):
    """A key file that cannot be used; the message names it and the mend."""


def kept_key(path: Path) -> PrivateKey:
    """The private key in a file; made with mode 0600 where there is none."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        return _make(path)
    except OSError as error:
        raise SecretFileError(f"cannot read {path}: {error.strerror}") from error
    try:
        return PrivateKey.parse(text)
    except KeyFormatError as error:
        raise SecretFileError(f"{path} does not hold a private key: restore it from a backup") from error


def _make(path: Path) -> PrivateKey:
    key = PrivateKey.generate()
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(key.text() + "\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    return key
