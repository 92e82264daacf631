"""The section `[plugins.metrics]`: where metrics are read, and how many series there may be."""

from ipaddress import ip_address

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    listen: str = "127.0.0.1:9470"
    """A listener of its own, which asks nobody who they are; empty for none."""
    token: SecretStr = SecretStr("")
    """Serve `/metrics` on the server's own port too, to whoever presents this as a bearer token; empty for not."""
    per_node: bool = False
    """Series for each node: as many as there are nodes, three times."""
    limit: int = Field(default=50, ge=1, le=10_000)
    """How many users, tags, systems or versions have a series of their own; the rest is counted as `(other)`."""

    @field_validator("listen")
    @classmethod
    def _an_address(cls, listen: str) -> str:
        if listen:
            host_port(listen)
        return listen

    @field_validator("token")
    @classmethod
    def _long_enough(cls, token: SecretStr) -> SecretStr:
        if token and len(token.get_secret_value()) < 16:
            raise ValueError("is too short to be a secret; give 16 characters or more, as from `openssl rand -hex 16`")
        return token


def host_port(listen: str) -> tuple[str, int]:
    """Address and port of `127.0.0.1:9470` or `[::1]:9470`; ValueError with the mend."""
    host, _, port = listen.rpartition(":")
    try:
        return str(ip_address(host.removeprefix("[").removesuffix("]"))), _port(port)
    except ValueError:
        raise ValueError(f"{listen!r} is not an address and port; give one such as 127.0.0.1:9470") from None


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise ValueError(text)
    return int(text)
