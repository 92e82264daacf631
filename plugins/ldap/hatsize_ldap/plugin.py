"""Logging in with a directory's passwords. This version checks its settings and accepts no password yet."""

from hatsize.hooks import hookimpl
from hatsize_ldap.settings import Settings


class LdapPlugin:
    """The plugin as the entry point names it."""

    hatsize_api = "1.0"

    @hookimpl
    def hatsize_settings(self) -> type[Settings]:
        return Settings


plugin = LdapPlugin()
