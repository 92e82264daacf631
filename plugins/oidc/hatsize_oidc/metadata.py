"""What a provider says of itself (OpenID Connect Discovery 1.0), read once in a while."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

import anyio

from hatsize_oidc.asking import Line
from hatsize_oidc.failures import ProviderFailure, shown

log = logging.getLogger("hatsize.oidc")

PATH = "/.well-known/openid-configuration"
FRESH = 3600.0
"""Seconds after which it is read anew."""
RETRY = 10.0
"""Seconds after a failure before it is tried again, where there is something older to go by."""
ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)
"""Signatures by a key that only the provider has."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """Where a provider's endpoints are, and what it can do. An endpoint it does not have is empty."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    algorithms: tuple[str, ...] = ("RS256",)
    basic_auth: bool = True
    """Whether the client's secret goes into a header, and not into the form."""
    names_itself: bool = False
    """Whether answers to the browser say who they are from (RFC 9207)."""


class MetadataCache:
    """A provider's metadata. What was read stays good while the provider cannot be asked."""

    def __init__(self, line: Line, issuer: str, clock: Callable[[], float] = monotonic) -> None:
        self._line = line
        self._issuer = issuer
        self._clock = clock
        self._lock = anyio.Lock()
        self._known: Metadata | None = None
        self._good_until = 0.0

    async def get(self) -> Metadata:
        """The metadata; ProviderFailure where there is none."""
        async with self._lock:
            if self._known is None or self._clock() >= self._good_until:
                await self._read()
            assert self._known is not None, "it was read, or raised"
            return self._known

    async def _read(self) -> None:
        try:
            self._known = parse(await self._line.get_json(self._issuer.rstrip("/") + PATH), self._issuer)
            self._good_until = self._clock() + FRESH
        except ProviderFailure as failure:
            if self._known is None:
                raise
            log.warning("going by what the provider said earlier: %s", failure)
            self._good_until = self._clock() + RETRY


def parse(document: Mapping[str, Any], issuer: str) -> Metadata:
    """The metadata in a provider's document; ProviderFailure names what is wrong with it."""
    if document.get("issuer") != issuer:
        told = shown(document.get("issuer", "nothing"))
        raise ProviderFailure(f"wrong issuer: the settings say {issuer}, the provider itself says {told}")
    supported = _texts(document.get("id_token_signing_alg_values_supported")) or ("RS256",)
    algorithms = tuple(algorithm for algorithm in supported if algorithm in ALGORITHMS)
    if not algorithms:
        found = shown(", ".join(supported))
        raise ProviderFailure(f"{issuer} signs with {found} alone: let it sign with RS256 or ES256")
    methods = _texts(document.get("token_endpoint_auth_methods_supported")) or ("client_secret_basic",)
    return Metadata(
        issuer=issuer,
        authorization_endpoint=_url(document, "authorization_endpoint", issuer),
        token_endpoint=_url(document, "token_endpoint", issuer),
        jwks_uri=_url(document, "jwks_uri", issuer),
        userinfo_endpoint=_url(document, "userinfo_endpoint", issuer, needed=False),
        end_session_endpoint=_url(document, "end_session_endpoint", issuer, needed=False),
        algorithms=algorithms,
        basic_auth="client_secret_basic" in methods,
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _url(document: Mapping[str, Any], key: str, issuer: str, *, needed: bool = True) -> str:
    """An endpoint's URL, which has no weaker protection than the issuer's own."""
    url = document.get(key)
    if url is None and not needed:
        return ""
    schemes = ("https://",) if issuer.startswith("https://") else ("https://", "http://")
    if not isinstance(url, str) or not url.startswith(schemes):
        raise ProviderFailure(f"{issuer} says no usable {key} of itself")
    return url


def _texts(found: Any) -> tuple[str, ...]:
    return tuple(one for one in found if isinstance(one, str)) if isinstance(found, list) else ()
