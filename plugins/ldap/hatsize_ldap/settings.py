"""The section `[plugins.ldap]`: the directory that passwords are checked against."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    servers: tuple[str, ...] = ()
    """`ldaps://…` or `ldap://…`; the next one is asked when one does not answer. Without any, nobody can log in."""
    start_tls: bool = True
    """Encrypt `ldap://` connections before anything is said."""
    bind_dn: str = ""
    bind_password: SecretStr = SecretStr("")
    base_dn: str = ""
    login_schema: Literal["openldap", "active-directory"] = "openldap"
    timeout_seconds: float = Field(default=5.0, gt=0)

    @field_validator("servers")
    @classmethod
    def _addresses(cls, servers: tuple[str, ...]) -> tuple[str, ...]:
        for server in servers:
            if not server.startswith(("ldap://", "ldaps://")):
                raise ValueError(f"{server!r} is not a directory's address; give one such as ldaps://ldap.example.com")
        return servers
