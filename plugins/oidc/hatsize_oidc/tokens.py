"""The token endpoint: a code, or a refresh token, for tokens (RFC 6749, 4.1.3 and 6)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client

from hatsize_oidc.asking import Line
from hatsize_oidc.failures import GoneFailure, LoginFailure, ProviderFailure, StaleFailure, shown
from hatsize_oidc.metadata import Metadata


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the provider gave. None of it is to be seen anywhere."""

    access_token: str = field(repr=False)
    id_token: str = field(repr=False, default="")
    refresh_token: str = field(repr=False, default="")


class TokenEndpoint:
    """One client's dealings with a provider's token endpoint."""

    def __init__(self, line: Line, name: str, client_id: str, secret: str) -> None:
        self._line = line
        self._name = name
        self._client_id = client_id
        self._secret = secret

    async def redeem(self, metadata: Metadata, code: str, verifier: str, redirect_uri: str) -> Tokens:
        """The tokens for a code; LoginFailure says why there are none."""
        parameters = {
            "grant_type": "authorization_code", "code": code, "code_verifier": verifier, "redirect_uri": redirect_uri,
        }  # fmt: skip
        try:
            return await self._ask(metadata, lambda client: client.fetch_token(metadata.token_endpoint, **parameters))
        except OAuthError as error:
            if error.error == "invalid_grant":
                raise StaleFailure(f"{self._name} does not take the code any more: start the login again") from error
            raise self._misconfigured(error) from error

    async def refresh(self, metadata: Metadata, refresh_token: str) -> Tokens:
        """New tokens for a refresh token. GoneFailure: the provider takes it no more. ProviderFailure says nothing of
        anybody."""
        endpoint = metadata.token_endpoint
        try:
            return await self._ask(metadata, lambda client: client.refresh_token(endpoint, refresh_token=refresh_token))
        except OAuthError as error:
            if error.error == "invalid_grant":
                raise GoneFailure(f"{self._name} has ended the session") from error
            raise self._misconfigured(error) from error

    async def _ask(
        self, metadata: Metadata, question: Callable[[AsyncOAuth2Client], Awaitable[Mapping[str, Any]]]
    ) -> Tokens:
        method = "client_secret_basic" if metadata.basic_auth else "client_secret_post"
        client = AsyncOAuth2Client(
            self._client_id,
            self._secret or None,
            token_endpoint_auth_method=method if self._secret else "none",
            **self._line.options(),
        )
        with self._line.asking(metadata.token_endpoint):
            async with client:
                try:
                    answer = await question(client)
                except (ValueError, RecursionError) as error:
                    raise ProviderFailure(f"{self._name} does not answer with JSON for tokens") from error
        return Tokens(*(_text(answer, key) for key in ("access_token", "id_token", "refresh_token")))

    def _misconfigured(self, error: OAuthError) -> LoginFailure:
        if error.error in {"invalid_client", "unauthorized_client"}:
            return ProviderFailure(
                f"{self._name} does not take this server for one of its clients ({shown(error.error)}): "
                "an administrator has to look at client_id and client_secret"
            )
        described = f": {shown(error.description)}" if error.description else ""
        return ProviderFailure(f"{self._name} refuses to give tokens: {shown(error.error)}{described}")


def _text(answer: Mapping[str, Any], key: str) -> str:
    value = answer.get(key)
    return value if isinstance(value, str) else ""
