"""DNS beyond MagicDNS. This version checks its settings and serves no zone yet."""

from hatsize.hooks import hookimpl
from hatsize_dns.settings import Settings


class DnsPlugin:
    """The plugin as the entry point names it."""

    hatsize_api = "1.0"

    @hookimpl
    def hatsize_settings(self) -> type[Settings]:
        return Settings


plugin = DnsPlugin()
