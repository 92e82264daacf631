"""The sections of the settings. A field's name is its key; its default is what a server does that was told nothing."""

from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, SecretStr, field_validator, model_validator

from hatsize.server.settings_problems import wrong
from hatsize.server.settings_types import (
    Domain,
    Domains,
    Duration,
    FileMode,
    Listen,
    Paths,
    Section,
    Table,
    Text,
    V4Prefix,
    V6Prefix,
    from_text,
)
from hatsize.server.settings_values import ListenAddress


class ExtraRecord(Section):
    """One record that every node resolves, below any domain."""

    name: Domain
    type: Literal["A", "AAAA", "CNAME", "TXT", "SRV"] = "A"
    value: str


class Nameservers(Section):
    global_: Text = Field(default=(), alias="global")
    """Resolvers for everything: addresses, or `https://` URLs of DNS over HTTPS."""
    split: Table = Field(default_factory=dict)
    """Resolvers for single domains."""

    @field_validator("global_")
    @classmethod
    def _resolvers(cls, resolvers: tuple[str, ...]) -> tuple[str, ...]:
        for resolver in resolvers:
            check_resolver(resolver)
        return resolvers

    @field_validator("split")
    @classmethod
    def _split_resolvers(cls, split: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for resolvers in split.values():
            cls._resolvers(resolvers)
        return split


def check_resolver(resolver: str) -> None:
    """Raise ValueError unless the text is an address, or a URL of DNS over HTTPS."""
    if resolver.startswith("https://"):
        return
    try:
        ip_address(resolver)
    except ValueError:
        raise ValueError(f"{resolver!r} is not a resolver; give an IP address or an https:// URL") from None


class Dns(Section):
    magic_dns: bool = True
    base_domain: Domain = "tailnet.internal"
    override_local_dns: bool = False
    nameservers: Nameservers = Nameservers()
    search_domains: Domains = ()
    extra_records: Annotated[tuple[ExtraRecord, ...], BeforeValidator(from_text)] = ()
    extra_records_path: Path | None = None
    """A JSON file of records, read again whenever it changes."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.override_local_dns and not self.nameservers.global_:
            raise wrong("override_local_dns", True, "needs a resolver to put in place; set dns.nameservers.global")
        if self.extra_records and self.extra_records_path:
            raise wrong("extra_records_path", str(self.extra_records_path), "dns.extra_records is set too; keep one")
        return self


class Prefixes(Section):
    v4: V4Prefix = "100.64.0.0/10"
    v6: V6Prefix = "fd7a:115c:a1e0::/48"
    allocation: str = "sequential"
    """The IP allocation service's name: `sequential`, `random`, or a plugin's."""

    @model_validator(mode="after")
    def _one_at_least(self) -> Self:
        if not self.v4 and not self.v6:
            raise wrong("v4", "", "prefixes.v6 is empty too, so no node could get an address; set one of them")
        return self


class Stun(Section):
    enabled: bool = True
    listen: Listen = ListenAddress("0.0.0.0", 3478)  # noqa: S104 - STUN is for everybody


class Derp(Section):
    """The relay this server runs, and the map of relays it hands out."""

    enabled: bool = True
    process: bool = False
    """Run the relay in a process of its own."""
    region_id: int = Field(default=900, ge=1, le=65535)
    region_code: str = "hatsize"
    region_name: str = "Hatsize"
    verify_clients: bool = True
    ipv4: str = ""
    ipv6: str = ""
    urls: Text = ()
    paths: Paths = ()
    omit_default_regions: bool = False
    auto_update: bool = True
    update_frequency: Duration = timedelta(hours=3)


class Acme(Section):
    domains: Domains = ()
    """Names to get a certificate for; none leaves ACME off."""
    email: str = ""
    url: str = "https://acme-v02.api.letsencrypt.org/directory"
    challenge: Literal["http-01", "tls-alpn-01"] = "tls-alpn-01"
    listen: Listen = ListenAddress("0.0.0.0", 80)  # noqa: S104 - where http-01 asks
    ca_file: Path | None = None
    """Certificates to trust the ACME server by, where it is a private one."""


class Tls(Section):
    cert_file: Path | None = None
    key_file: Path | None = None
    acme: Acme = Acme()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if bool(self.cert_file) != bool(self.key_file):
            lone, missing = ("cert_file", "key_file") if self.cert_file else ("key_file", "cert_file")
            raise wrong(lone, str(getattr(self, lone)), f"is of no use alone; set tls.{missing} too")
        if self.cert_file and self.acme.domains:
            raise wrong("cert_file", str(self.cert_file), "tls.acme.domains is set too; keep one")
        return self


class Database(Section):
    url: SecretStr = SecretStr("")
    """`sqlite:///PATH` or `postgresql://…`; empty for a SQLite file in the data directory."""

    @field_validator("url")
    @classmethod
    def _a_url(cls, url: SecretStr) -> SecretStr:
        if url.get_secret_value() and "://" not in url.get_secret_value():
            raise ValueError("is not a database URL; give one such as postgresql://hatsize@db.example.com/hatsize")
        return url


class Log(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class HighAvailability(Section):
    probe_interval: Duration = timedelta(seconds=10)
    """How often subnet routers that stand in for each other are probed; 0 leaves it off."""
    probe_timeout: Duration = timedelta(seconds=5)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.probe_interval and self.probe_timeout >= self.probe_interval:
            raise wrong("probe_timeout", self.probe_timeout.total_seconds(), "must be shorter than probe_interval")
        return self


class Routes(Section):
    ha: HighAvailability = HighAvailability()


class NodeSettings(Section):
    expiry: Duration = timedelta()
    """How long a node's key is good for; 0 is for ever. Tagged nodes do not expire."""
    ephemeral_timeout: Duration = timedelta(minutes=30)
    """How long an ephemeral node may stay away before it is removed."""
    routes: Routes = Routes()


class PreauthKeys(Section):
    revoked_retention: Duration = timedelta(days=7)
    """How long an expired auth key stays in the list."""


class Logins(Section):
    lifetime: Duration = timedelta(minutes=15)
    """How long a registration waits for somebody to approve it."""
    limit: int = Field(default=1024, ge=1)
    """How many of them may wait at a time."""


class Policy(Section):
    mode: Literal["database", "file"] = "database"
    file: Path | None = None
    engine: str = "hujson"
    """The policy evaluation service's name."""

    @model_validator(mode="before")
    @classmethod
    def _file_means_file_mode(cls, given: Any) -> Any:
        return {"mode": "file", **given} if isinstance(given, dict) and given.get("file") else given

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.mode == "file" and not self.file:
            raise wrong("mode", "file", "needs a file; set policy.file, or policy.mode to database")
        if self.mode == "database" and self.file:
            raise wrong("mode", "database", "policy.file is set; remove it, or set policy.mode to file")
        return self


class Api(Section):
    cors_origins: Text = ()
    """Where web consoles that run in a browser are served from, as `https://console.example.com`."""
    socket_mode: FileMode = 0o600
    """Who may administer the server through the Unix socket in its data directory."""


class Switch(Section):
    enabled: bool = False


class OnSwitch(Section):
    enabled: bool = True


class Plugins(Section):
    """Which plugins are in use, and a table for each one's own settings, which the plugin checks."""

    model_config = ConfigDict(extra="allow", frozen=True)

    enabled: Text = ()

    @model_validator(mode="after")
    def _tables(self) -> Self:
        for name, section in (self.model_extra or {}).items():
            if not isinstance(section, dict):
                raise wrong(name, section, f"is not a plugin's table; write [plugins.{name}], or plugins.enabled")
        return self

    def section(self, name: str) -> dict[str, Any]:
        """A plugin's own table as it was given, not yet checked."""
        return dict((self.model_extra or {}).get(name, {}))
