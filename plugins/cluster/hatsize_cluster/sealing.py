"""Secrets that all replicas share, in the database, encrypted with a key that is not in it."""

from pathlib import Path

import nacl.exceptions
import nacl.secret
import nacl.utils

from hatsize.hooks.errors import PluginError
from hatsize.hooks.storage import Storage

MEND = "make one by `hatsize cluster key`, and give all replicas the same"


def new_key() -> str:
    """The text of a new key file."""
    return nacl.utils.random(nacl.secret.SecretBox.KEY_SIZE).hex()


def read_key(path: Path | None) -> bytes:
    """The key in a file; PluginError that says what to do where there is none."""
    if path is None:
        raise PluginError(f"plugins.cluster.key_file is not set: {MEND}")
    try:
        key = bytes.fromhex(path.read_text().strip())
    except OSError as error:
        raise PluginError(f"plugins.cluster.key_file = {path}: {error.strerror}; {MEND}") from None
    except ValueError:
        key = b""
    if len(key) != nacl.secret.SecretBox.KEY_SIZE:
        raise PluginError(f"plugins.cluster.key_file = {path} holds no key of 64 hexadecimal digits: {MEND}")
    return key


def shared(storage: Storage, key: bytes, name: str, ours: bytes) -> bytes:
    """The secret of a name that all replicas use: what is stored, or `ours` from now on.

    Raises PluginError when what is stored was encrypted with another key, and StorageError.
    """
    box, place = nacl.secret.SecretBox(key), f"cluster.{name}"
    sealed = storage.read_secret(place)
    if sealed is None:
        sealed = storage.write_secret(place, bytes(box.encrypt(ours)))
    try:
        return bytes(box.decrypt(sealed))
    except nacl.exceptions.CryptoError:
        words = "plugins.cluster.key_file is not the one that the other replicas have: copy theirs"
        raise PluginError(words) from None
