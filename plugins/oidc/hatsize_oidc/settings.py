"""The section `[plugins.oidc]`: which identity providers people may log in with, and whom each of them lets in."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from hatsize_oidc.presets import PRESETS

HEADSCALE_CALLBACK = "/oidc/callback"
_STRICT = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Provider(BaseModel):
    """One OpenID Connect provider."""

    model_config = _STRICT

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")
    """Short and lower-case; part of the callback's URL, and remembered with each user, so it must not change."""
    preset: Literal["", "keycloak", "authentik", "entra", "google", "okta", "dex", "kanidm", "zitadel"] = ""
    """Defaults of the keys below that suit a product."""
    title: str = ""
    """What the button says; `Log in with NAME` by default."""
    issuer: str
    client_id: str = Field(min_length=1)
    client_secret: SecretStr = SecretStr("")
    """Empty for a public client."""
    client_secret_file: Path | None = None
    """A file with the secret, in place of `client_secret`."""
    ca_file: Path | None = None
    """Certificates in PEM that the provider's is checked by, in place of the system's."""
    headscale_callback: bool = False
    """Whether the provider knows this server by Headscale's redirect URI, `/oidc/callback`, in place of our own."""
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    authorize: dict[str, str] = {}
    """More parameters for the provider's login page."""

    allowed_domains: tuple[str, ...] = ()
    """The domains of verified e-mails. Who does not pass every one of the three lists that is not empty stays out."""
    allowed_users: tuple[str, ...] = ()
    """Verified e-mails, or subjects."""
    allowed_groups: tuple[str, ...] = ()
    """Groups as the provider writes them, or as `group:name@domain`."""
    unverified_email: Literal["refuse", "drop", "accept"] = "refuse"
    """What becomes of somebody whose e-mail the provider does not call verified: no login, a login without an e-mail,
    or the provider is believed all the same."""
    link_by_email: bool = False
    """Whether a first login becomes the user that has the same verified e-mail already."""

    name_claim: str = "preferred_username"
    """The claim that new users are named by; their e-mail where it is missing."""
    groups_claim: str = ""
    """The claim with the groups: its name, or a path such as `realm_access.roles`."""
    group_domain: str = Field(default="", pattern=r"^[A-Za-z0-9.-]*$")
    """What comes behind the @ of `group:name@domain` in policies; the provider's `name` by default."""

    node_expiry: Literal["server", "token"] = "server"
    """When a machine has to log in again: as the server's settings say, or when the ID token expires."""
    refresh_minutes: float = Field(default=15.0, ge=0)
    """How often the provider is asked whether its users are still allowed in; 0 for only when they log in."""
    ssh_check: bool = True
    """Whether a fresh login here lets SSH sessions go on that a policy holds for a check."""
    logout: bool = True
    """Whether the last page offers to log out of the provider, where it can."""
    logout_return: bool = False
    """Whether the provider leads back afterwards; it must know `…/oidc/NAME/logged-out` for that."""
    leeway_seconds: int = Field(default=60, ge=0, le=600)
    """How far the provider's clock may be from this server's."""

    @model_validator(mode="before")
    @classmethod
    def _with_preset(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {**PRESETS.get(str(given.get("preset", "")), {}), **given}

    @field_validator("issuer")
    @classmethod
    def _an_issuer(cls, issuer: str) -> str:
        if not issuer.startswith(("https://", "http://127.0.0.1", "http://localhost", "http://[::1]")):
            raise ValueError("is not an issuer's URL; give one such as https://id.example.com/realms/main")
        return issuer

    @field_validator("scopes")
    @classmethod
    def _with_openid(cls, scopes: tuple[str, ...]) -> tuple[str, ...]:
        return scopes if "openid" in scopes else ("openid", *scopes)

    @model_validator(mode="after")
    def _one_secret(self) -> "Provider":
        if self.client_secret_file is not None and self.client_secret.get_secret_value():
            raise ValueError("give client_secret or client_secret_file, not both")
        return self

    @property
    def button(self) -> str:
        return self.title or f"Log in with {self.name}"

    @property
    def callback(self) -> str:
        """Where the provider sends people back to, on this server."""
        return HEADSCALE_CALLBACK if self.headscale_callback else f"/oidc/{self.name}/callback"

    def domain_of_groups(self) -> str:
        return self.group_domain or self.name


class Settings(BaseModel):
    model_config = _STRICT

    providers: tuple[Provider, ...] = ()
    """Shown on the login page in this order."""

    @field_validator("providers")
    @classmethod
    def _names_differ(cls, providers: tuple[Provider, ...]) -> tuple[Provider, ...]:
        names = [provider.name for provider in providers]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise ValueError(f"two providers are named {twice!r}; rename one")
        if sum(provider.headscale_callback for provider in providers) > 1:
            raise ValueError("two providers have headscale_callback, and there is one such page; keep it at one")
        return providers
