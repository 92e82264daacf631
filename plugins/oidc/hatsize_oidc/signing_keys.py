"""The keys a provider signs with. It changes them when it likes: an unknown one is a reason to read them anew."""

from collections.abc import Callable
from time import monotonic
from typing import Any

import anyio
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from hatsize_oidc.asking import Line
from hatsize_oidc.failures import LoginFailure, ProviderFailure, StaleFailure, shown
from hatsize_oidc.metadata import Metadata

REREAD_AFTER = 30.0
"""Seconds between two readings that a token gives reason for: forged ones must not make us ask all the time."""
LONGEST_TOKEN = 64 * 1024


class SigningKeys:
    """The keys of one provider, as they were last read."""

    def __init__(self, line: Line, clock: Callable[[], float] = monotonic) -> None:
        self._line = line
        self._clock = clock
        self._lock = anyio.Lock()
        self._keys: KeySet | None = None
        self._read_at = 0.0

    async def opened(self, token: str, metadata: Metadata) -> jwt.Token:
        """The header and claims of a token with a good signature; LoginFailure for any other."""
        if len(token) > LONGEST_TOKEN:
            raise LoginFailure("the provider's ID token is too long")
        keys = await self._current(metadata)
        try:
            return _decoded(token, keys, metadata)
        except (InvalidKeyIdError, BadSignatureError):
            keys = await self._reread(metadata, keys)
        except (JoseError, ValueError) as error:
            raise _refusal(error) from error
        try:
            return _decoded(token, keys, metadata)
        except (JoseError, ValueError) as error:
            raise _refusal(error) from error

    async def count(self, metadata: Metadata) -> int:
        """How many keys there are."""
        return len((await self._current(metadata)).keys)

    async def _current(self, metadata: Metadata) -> KeySet:
        async with self._lock:
            return self._keys or await self._read(metadata)

    async def _reread(self, metadata: Metadata, tried: KeySet) -> KeySet:
        """The keys as they are now, unless they were read a moment ago."""
        async with self._lock:
            if self._keys is not tried and self._keys is not None:
                return self._keys
            if self._clock() - self._read_at < REREAD_AFTER:
                return tried
            return await self._read(metadata)

    async def _read(self, metadata: Metadata) -> KeySet:
        document: Any = await self._line.get_json(metadata.jwks_uri)
        try:
            self._keys = KeySet.import_key_set(document)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise ProviderFailure(f"{metadata.issuer} gives no usable keys at {metadata.jwks_uri}") from error
        self._read_at = self._clock()
        return self._keys


def _decoded(token: str, keys: KeySet, metadata: Metadata) -> jwt.Token:
    registry = JWSRegistry(algorithms=list(metadata.algorithms), strict_check_header=False)
    return jwt.decode(token, key=keys, registry=registry)


def _refusal(error: Exception) -> LoginFailure:
    match error:
        case InvalidKeyIdError():
            return StaleFailure("the ID token is signed with a key that the provider does not have: log in again")
        case BadSignatureError():
            return LoginFailure("the ID token's signature is not the provider's")
    return LoginFailure(f"the ID token cannot be read: {shown(error)}")
