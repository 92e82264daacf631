"""The settings of a server: one validated model, from a TOML file, `HATSIZE_…` variables and flags."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, ValidationError, model_validator

from hatsize.server import settings_sections as sections
from hatsize.server.settings_clients import Clients
from hatsize.server.settings_dns import Dns
from hatsize.server.settings_paths import SOCKET_NAME, default_data_dir
from hatsize.server.settings_problems import SettingsError, problems_of, wrong
from hatsize.server.settings_sources import Given, keys_of, read_environment, read_file
from hatsize.server.settings_types import Listens, Proxies, Section, ServerUrl
from hatsize.server.settings_values import ListenAddress

__all__ = ["Settings", "SettingsError", "load_section", "load_settings"]

M = TypeVar("M", bound=BaseModel)


class Settings(Section):
    """All that can be set."""

    server_url: ServerUrl = ""
    """What clients reach this server by; empty to make one from the address it listens on."""
    listen: Listens = (ListenAddress("0.0.0.0", 8080), ListenAddress("::", 8080))  # noqa: S104 - for all clients
    """The addresses and ports to listen on, each for HTTP and TLS alike."""
    data_dir: Path = Field(default_factory=default_data_dir)
    """Where the server keeps its state and its secrets; without root, `hatsize` in `~/.local/state`."""
    trusted_proxies: Proxies = ()
    """From whom `X-Forwarded-For` and the like are believed."""
    dns: Dns = Dns()
    prefixes: sections.Prefixes = sections.Prefixes()
    stun: sections.Stun = sections.Stun()
    derp: sections.Derp = sections.Derp()
    tls: sections.Tls = sections.Tls()
    database: sections.Database = sections.Database()
    log: sections.Log = sections.Log()
    node: sections.NodeSettings = sections.NodeSettings()
    preauth_keys: sections.PreauthKeys = sections.PreauthKeys()
    logins: sections.Logins = sections.Logins()
    policy: sections.Policy = sections.Policy()
    api: sections.Api = sections.Api()
    taildrop: sections.Taildrop = sections.Taildrop()
    logtail: sections.Logtail = sections.Logtail()
    auto_update: sections.AutoUpdate = sections.AutoUpdate()
    clients: Clients = Clients()
    plugins: sections.Plugins = sections.Plugins()

    @property
    def socket(self) -> Path:
        """The API's Unix socket."""
        return self.data_dir / SOCKET_NAME

    @model_validator(mode="after")
    def _names_apart(self) -> Self:
        host, base = urlsplit(self.server_url).hostname or "", self.dns.base_domain
        if self.dns.magic_dns and (host == base or host.endswith("." + base)):
            text = f"contains the server's own name {host}, which clients could then not find; set another one"
            raise wrong("dns.base_domain", base, text)
        return self


def load_settings(
    config: Path | None = None, environ: Mapping[str, str] = os.environ, flags: Mapping[str, Any] | None = None
) -> Settings:
    """The settings, flags (by dotted path) over variables over the file; SettingsError names all that is wrong."""
    given = Given()
    if config is not None:
        read_file(given, config)
    read_environment(given, environ, Settings)
    for path, value in (flags or {}).items():
        given.put(path, value, "--" + path.replace("_", "-").replace(".", "-"))
    return _validated(Settings, given)


def load_section(settings: Settings, name: str, model: type[M], environ: Mapping[str, str] = os.environ) -> M:
    """A plugin's own settings, checked by its model: `[plugins.NAME]`, then `HATSIZE_PLUGINS_NAME_…`."""
    given, above = Given(), f"plugins.{name}"
    given.put_tree(settings.plugins.section(name), f"[{above}]")
    read_environment(given, environ, model, f"HATSIZE_PLUGINS_{name.upper()}_")
    return _validated(model, given, f"{above}.")


def _validated(model: type[M], given: Given, above: str = "") -> M:
    try:
        return model.model_validate(given.tree)
    except ValidationError as error:
        sources = {above + path: source for path, source in given.sources.items()}
        known = {above + path: secret for path, secret in keys_of(model).items()}
        raise SettingsError(problems_of(error, sources, known, above)) from None
