"""The section `[plugins.oidc]`: which identity providers people may log in with."""

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator


class Provider(BaseModel):
    """One OpenID Connect provider."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")
    """Short and lower-case; part of the callback's URL, and remembered with each login, so it must not change."""
    title: str = ""
    """What the button says; `Log in with NAME` by default."""
    issuer: str
    client_id: str
    client_secret: SecretStr = SecretStr("")
    """Empty for a public client."""
    scopes: tuple[str, ...] = ("openid", "profile", "email")

    @field_validator("issuer")
    @classmethod
    def _an_issuer(cls, issuer: str) -> str:
        if not issuer.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise ValueError("is not an issuer's URL; give one such as https://id.example.com/realms/main")
        return issuer


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    providers: tuple[Provider, ...] = ()
    """Shown on the login page in this order."""

    @field_validator("providers")
    @classmethod
    def _names_differ(cls, providers: tuple[Provider, ...]) -> tuple[Provider, ...]:
        names = [provider.name for provider in providers]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise ValueError(f"two providers are named {twice!r}; rename one")
        return providers
