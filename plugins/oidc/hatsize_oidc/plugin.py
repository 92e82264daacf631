"""Logging in through OpenID Connect providers. This version checks its settings and shows no way to log in yet."""

from hatsize.hooks import hookimpl
from hatsize_oidc.settings import Settings


class OidcPlugin:
    """The plugin as the entry point names it."""

    hatsize_api = "1.0"

    @hookimpl
    def hatsize_settings(self) -> type[Settings]:
        return Settings


plugin = OidcPlugin()
