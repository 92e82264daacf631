"""The sections of the settings. A field's name is its key; its default is what a server does that was told nothing."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, SecretStr, field_validator, model_validator

from hatsize.server.settings_problems import wrong
from hatsize.server.settings_types import (
    Domains,
    Duration,
    FileMode,
    Listen,
    Listens,
    Paths,
    Section,
    Text,
    V4Prefix,
    V6Prefix,
)
from hatsize.server.settings_values import ListenAddress


class Prefixes(Section):
    v4: V4Prefix = "100.64.0.0/10"
    """Where IPv4 addresses of nodes come from; empty for none."""
    v6: V6Prefix = "fd7a:115c:a1e0::/48"
    """Where IPv6 addresses of nodes come from; empty for none."""
    allocation: str = "sequential"
    """The IP allocation service's name: `sequential`, `random`, or a plugin's."""

    @model_validator(mode="after")
    def _one_at_least(self) -> Self:
        if not self.v4 and not self.v6:
            raise wrong("v4", "", "prefixes.v6 is empty too, so no node could get an address; set one of them")
        return self


class Stun(Section):
    enabled: bool = True
    """Whether clients can ask this server for the address they are seen with."""
    listen: Listens = (ListenAddress("0.0.0.0", 3478), ListenAddress("::", 3478))  # noqa: S104 - STUN is for everybody
    """The UDP addresses and ports of STUN, clients being told of the first one's. A port in use is a warning."""

    @property
    def port(self) -> int:
        """Where clients ask; -1 for nowhere, as DERP maps say it."""
        return self.listen[0].port if self.enabled and self.listen else -1


class Derp(Section):
    """The relay this server runs, and the map of relays it hands out."""

    enabled: bool = True
    """Whether the server runs a relay of its own."""
    process: bool = False
    """Whether the relay runs in a process of its own, so that neither it nor the server slows the other down."""
    listen: Listens = ()
    """Where a relay with `process` listens; none for the server's own addresses, each with the next port."""
    in_map: bool = True
    """Whether clients are told of the own relay by itself; else a map of `paths` or `urls` tells them, its own way."""
    region_id: int = Field(default=900, ge=1, le=65535)
    """The number of the own relay's region."""
    region_code: str = "hatsize"
    """The short name of the own relay's region."""
    region_name: str = "Hatsize"
    """The name of the own relay's region as people are shown it."""
    verify_clients: bool = True
    """Whether only nodes of the tailnet may use the own relay."""
    ipv4: str = ""
    """The own relay's IPv4 address as clients are told it; empty to let them resolve the server's name."""
    ipv6: str = ""
    """The own relay's IPv6 address as clients are told it."""
    urls: Text = ()
    """Where DERP maps are fetched from, in JSON or YAML."""
    paths: Paths = ()
    """Files with DERP maps, in JSON or YAML. What stands in them goes before what comes from `urls`."""
    auto_update: bool = True
    """Whether `urls` and `paths` are read again every `update_frequency`."""
    update_frequency: Duration = timedelta(hours=3)
    """How often `urls` and `paths` are read."""


class Acme(Section):
    domains: Domains = ()
    """Names to get a certificate for; none leaves ACME off."""
    email: str = ""
    """Whom the certificate authority may write to."""
    url: str = "https://acme-v02.api.letsencrypt.org/directory"
    """The certificate authority's ACME directory. Using it means agreeing to its terms of service."""
    challenge: Literal["http-01", "tls-alpn-01"] = "tls-alpn-01"
    """How names are checked: on the server's own port, reached as 443, or over HTTP at `listen`, reached as 80."""
    listen: Listen = ListenAddress("0.0.0.0", 80)  # noqa: S104 - where http-01 asks
    """Where `http-01` is answered."""
    ca_file: Path | None = None
    """Certificates to trust the ACME server by, where it is a private one."""


class Tls(Section):
    cert_file: Path | None = None
    """A certificate chain in PEM, read again when it changes; none for one the server makes and pins itself."""
    key_file: Path | None = None
    """The certificate's private key in PEM."""
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
    """The least important messages that are logged."""
    format: Literal["text", "json"] = "text"
    """Lines for people, or JSON for programs."""


class HighAvailability(Section):
    probe_interval: Duration = timedelta(seconds=5)
    """How often subnet routers that stand in for each other are asked whether they live; 0 leaves it off."""
    probe_timeout: Duration = timedelta(seconds=3)
    """How long a router may take to answer before another one serves its routes."""

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
    approval: bool = False
    """Whether a machine that its user logged in waits until an administrator approves it with `nodes approve`."""
    ephemeral_timeout: Duration = timedelta(minutes=30)
    """How long an ephemeral node may stay away before it is removed."""
    routes: Routes = Routes()


class PreauthKeys(Section):
    revoked_retention: Duration = timedelta(days=7)
    """How long an auth key that was revoked or has expired stays in the list."""


class Logins(Section):
    lifetime: Duration = timedelta(minutes=15)
    """How long a registration waits for somebody to approve it."""
    limit: int = Field(default=1024, ge=1)
    """How many of them may wait at a time."""


class Policy(Section):
    mode: Literal["database", "file"] = "database"
    """Where the policy lives; naming a `file` means `file`."""
    file: Path | None = None
    """The policy in HuJSON, put in force at the start and whenever it changes; it cannot be saved by API then."""
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


class Taildrop(Section):
    enabled: bool = True
    """Whether people may send files between their own machines."""


class Logtail(Section):
    enabled: bool = False
    """Whether clients may send their logs to their maker."""


class AutoUpdate(Section):
    enabled: bool = False
    """Whether clients that were never told otherwise update themselves."""


class Plugins(Section):
    """Which plugins are in use, and a table for each one's own settings, which the plugin checks."""

    model_config = ConfigDict(extra="allow", frozen=True)

    enabled: Text = ()
    """The names of the plugins in use. The table `[plugins.NAME]` has a plugin's own settings."""

    @model_validator(mode="after")
    def _tables(self) -> Self:
        for name, section in (self.model_extra or {}).items():
            if not isinstance(section, dict):
                raise wrong(name, section, f"is not a plugin's table; write [plugins.{name}], or plugins.enabled")
        return self

    def section(self, name: str) -> dict[str, Any]:
        """A plugin's own table as it was given, not yet checked."""
        return dict((self.model_extra or {}).get(name, {}))
