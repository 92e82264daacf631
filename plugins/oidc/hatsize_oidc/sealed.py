"""What others keep for us, sealed, so that they can neither read nor change it: browsers, and the database.

Nothing of what browsers keep is kept here too: nobody can fill our memory, and whichever replica a browser comes back
to can go on.
"""

import json
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Callable
from time import time
from typing import Generic, TypeVar

import msgspec
from cryptography.fernet import Fernet, InvalidToken

Kind = TypeVar("Kind")


class Seal(Generic[Kind]):
    """Seals things of one kind, each good for a while or, without a lifetime, for ever."""

    def __init__(
        self, key: bytes, kind: type[Kind], lifetime: int | None = None, clock: Callable[[], float] = time
    ) -> None:
        """`key` has 32 bytes; `kind` is a dataclass of what JSON can hold; `lifetime` is in seconds."""
        self._fernet = Fernet(urlsafe_b64encode(key))
        self._kind = kind
        self._lifetime = lifetime
        self._clock = clock

    def closed(self, content: Kind) -> str:
        """What is kept of it elsewhere."""
        text = json.dumps(msgspec.to_builtins(content))
        return self._fernet.encrypt_at_time(zlib.compress(text.encode()), int(self._clock())).decode()

    def opened(self, text: str) -> Kind | None:
        """What was sealed; None for what we have not sealed, or whose time is over."""
        try:
            packed = self._unpacked(text.encode())
        except InvalidToken:
            return None
        return msgspec.convert(json.loads(zlib.decompress(packed)), self._kind)

    def _unpacked(self, sealed: bytes) -> bytes:
        if self._lifetime is None:
            return self._fernet.decrypt(sealed)
        return self._fernet.decrypt_at_time(sealed, self._lifetime, int(self._clock()))
