"""One identity provider: where its login page is, and who has logged in there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from hatsize.hooks.auth import LoginIdentity
from hatsize.hooks.errors import PluginError
from hatsize.tailnet.model import Identity
from hatsize_oidc.asking import Line
from hatsize_oidc.claims import pick
from hatsize_oidc.failures import LoginFailure, ProviderFailure, shown
from hatsize_oidc.id_tokens import Expected, check_fresh, checked
from hatsize_oidc.logout_tokens import subject_of
from hatsize_oidc.metadata import MetadataCache
from hatsize_oidc.person import identity_of, person, token_expiry
from hatsize_oidc.settings import Provider
from hatsize_oidc.signing_keys import SigningKeys
from hatsize_oidc.tokens import TokenEndpoint, Tokens
from hatsize_oidc.underway import Underway


@dataclass(frozen=True, slots=True)
class Arrived:
    """Somebody has logged in at the provider."""

    identity: LoginIdentity
    tokens: Tokens = field(repr=False)


class OidcProvider:
    """What the plugin knows of one provider, and asks of it."""

    def __init__(
        self, settings: Provider, now: Callable[[], datetime], transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        self.settings = settings
        self.name = settings.name
        self._now = now
        self._line = Line(self.name, settings.ca_file, transport)
        self._metadata = MetadataCache(self._line, settings.issuer)
        self._keys = SigningKeys(self._line)
        self._endpoint = TokenEndpoint(self._line, self.name, settings.client_id, secret_of(settings))

    async def look(self) -> Mapping[str, str]:
        """What the provider says of itself, for people; ProviderFailure where it cannot be used."""
        metadata = await self._metadata.get()
        supported = {"profiles": metadata.userinfo_endpoint, "logout": metadata.end_session_endpoint}
        return {
            "issuer": metadata.issuer,
            "keys": str(await self._keys.count(metadata)),
            "signatures": ", ".join(metadata.algorithms),
            "offers": ", ".join(name for name, endpoint in supported.items() if endpoint) or "logins alone",
            "scopes asked for": " ".join(self.settings.scopes),
            "callback": f"{self.settings.callback} on this server's URL: the provider has to know it",
        }

    async def login_page(self, login: Underway, redirect_uri: str) -> str:
        """The URL of the provider's page for a login; ProviderFailure where the provider cannot be asked."""
        metadata = await self._metadata.get()
        parameters = {
            **self.settings.authorize,
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(self.settings.scopes),
            "state": login.state,
            "nonce": login.nonce,
            "code_challenge": create_s256_code_challenge(login.verifier),
            "code_challenge_method": "S256",
        }
        if login.fresh:
            parameters |= {"prompt": "login", "max_age": "0"}
        return _with_query(metadata.authorization_endpoint, parameters)

    async def arrived(self, login: Underway, answer: Mapping[str, str], redirect_uri: str) -> Arrived:
        """Who has logged in, by what the browser came back with; LoginFailure says in words why nobody has."""
        metadata = await self._metadata.get()
        issuer = answer.get("iss", "")
        if (issuer or metadata.names_itself) and issuer != metadata.issuer:
            raise LoginFailure(f"wrong issuer: the answer is from {shown(issuer) or 'nobody'}, not {metadata.issuer}")
        if "error" in answer:
            raise _declined(self.name, answer)
        tokens = await self._endpoint.redeem(metadata, answer.get("code", ""), login.verifier, redirect_uri)
        if not tokens.id_token:
            raise ProviderFailure(f"{self.name} gave no ID token: is openid among the scopes?")
        claims = await self._claims(tokens, login.nonce)
        if login.fresh:
            check_fresh(claims, datetime.fromtimestamp(login.began, UTC), self.settings.leeway_seconds)
        expires = token_expiry(claims) if self.settings.node_expiry == "token" else None
        return Arrived(person(self.settings, await self._with_profile(claims, tokens), expires), tokens)

    async def renewed(self, refresh_token: str) -> Tokens:
        """Tokens of somebody who is not there. GoneFailure when the provider has ended their session."""
        return await self._endpoint.refresh(await self._metadata.get(), refresh_token)

    async def still(self, identity: Identity, tokens: Tokens) -> LoginIdentity:
        """What the provider says of somebody now. NotAllowedFailure when the settings do not let them in any more."""
        claims: Mapping[str, Any] = {"sub": identity.subject}
        if tokens.id_token:
            claims = await self._claims(tokens, nonce="")
        claims = await self._with_profile(claims, tokens)
        if self.settings.groups_claim and not tokens.id_token and pick(claims, self.settings.groups_claim) is None:
            raise ProviderFailure(
                f"{self.name} says nothing of groups without a login: no ID token comes with a refresh"
            )
        if identity_of(self.settings, claims) != identity:
            raise ProviderFailure(f"{self.name} answered for another account than it was asked for")
        return person(self.settings, claims)

    async def logged_out(self, logout_token: str) -> Identity:
        """Who has logged out, by the provider's own word; LoginFailure for a token that is not."""
        metadata = await self._metadata.get()
        token = await self._keys.opened(logout_token, metadata)
        settings = self.settings
        subject = subject_of(token, metadata.issuer, settings.client_id, self._now(), settings.leeway_seconds)
        return Identity(self.name, subject)

    async def can_log_out(self) -> bool:
        """Whether the last page may offer to end the browser's session at the provider."""
        try:
            return self.settings.logout and bool((await self._metadata.get()).end_session_endpoint)
        except ProviderFailure:
            return False

    async def logout_page(self, id_token: str, return_to: str) -> str:
        """The URL where the provider ends the browser's session; ProviderFailure where it cannot."""
        metadata = await self._metadata.get()
        if not metadata.end_session_endpoint:
            raise ProviderFailure(f"{self.name} has no page to log out")
        parameters = {"client_id": self.settings.client_id}
        if id_token:
            parameters["id_token_hint"] = id_token
        if self.settings.logout_return:
            parameters["post_logout_redirect_uri"] = return_to
        return _with_query(metadata.end_session_endpoint, parameters)

    async def _claims(self, tokens: Tokens, nonce: str) -> Mapping[str, Any]:
        metadata = await self._metadata.get()
        token = await self._keys.opened(tokens.id_token, metadata)
        expected = Expected(
            metadata.issuer,
            self.settings.client_id,
            self._now(),
            self.settings.leeway_seconds,
            nonce,
            tokens.access_token,
        )
        return checked(token, expected)

    async def _with_profile(self, claims: Mapping[str, Any], tokens: Tokens) -> Mapping[str, Any]:
        """The claims with those of the userinfo endpoint, where there is one; what the ID token says goes first."""
        metadata = await self._metadata.get()
        if not (metadata.userinfo_endpoint and tokens.access_token):
            return claims
        profile = await self._line.get_json(metadata.userinfo_endpoint, tokens.access_token)
        if profile.get("sub") != claims.get("sub"):
            raise ProviderFailure(f"{self.name} tells another person's profile than the one who has logged in")
        return {**profile, **claims}


def secret_of(settings: Provider) -> str:
    """The client's secret, from the settings or the file they name; PluginError when that cannot be read."""
    if settings.client_secret_file is None:
        return settings.client_secret.get_secret_value()
    try:
        return settings.client_secret_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", "") or "is not a text"
        raise PluginError(
            f"{settings.name}: cannot read client_secret_file {settings.client_secret_file}: {reason}"
        ) from error


def _declined(name: str, answer: Mapping[str, str]) -> LoginFailure:
    error, described = answer["error"], shown(answer.get("error_description", ""))
    if error == "access_denied":
        return LoginFailure(f"the login was declined at {name}" + (f": {described}" if described else ""))
    if error in {"temporarily_unavailable", "server_error"}:
        return ProviderFailure(f"{name} cannot log anybody in now: try again later")
    return LoginFailure(f"{name} did not log you in: {shown(error)}" + (f": {described}" if described else ""))


def _with_query(url: str, parameters: Mapping[str, str]) -> str:
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(parameters)}"
