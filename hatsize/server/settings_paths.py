"""Where a server keeps its things when nobody says otherwise. Standard library alone, for the command line."""

import os
from collections.abc import Mapping
from pathlib import Path

SOCKET_NAME = "hatsize.sock"
"""The API's Unix socket in the data directory."""


def default_data_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """`/var/lib/hatsize` for root, else `hatsize` below `$XDG_STATE_HOME` or `~/.local/state`."""
    if os.geteuid() == 0:
        return Path("/var/lib/hatsize")
    state_home = environ.get("XDG_STATE_HOME")
    return Path(state_home) / "hatsize" if state_home else Path.home() / ".local" / "state" / "hatsize"
