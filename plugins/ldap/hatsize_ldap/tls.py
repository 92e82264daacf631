"""How the servers' certificates are verified."""

import ssl
from functools import lru_cache
from pathlib import Path

from hatsize.hooks.errors import PluginError


@lru_cache(maxsize=4)
def context(ca_file: Path | None) -> ssl.SSLContext:
    """Verifies chain and host name, by these certificates or the system's; PluginError for a file that has none."""
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except OSError as error:
        reason = error.strerror if isinstance(error, FileNotFoundError | PermissionError) else "no certificates in it"
        raise PluginError(f"plugins.ldap.ca_file = {ca_file}: {reason}; give a file in PEM form") from None
