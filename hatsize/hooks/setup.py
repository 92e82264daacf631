"""What a plugin is told of itself before it is asked for anything."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Setup:
    """The plugin's place in this server, before anything runs."""

    name: str
    """What the settings call the plugin."""
    settings: Any = None
    """The plugin's section, an instance of the model of its `hatsize_settings`; None where it has none."""
    data_dir: Path = field(default_factory=Path)
    """The server's data directory; a plugin keeps its files in a folder of its own name below it."""
    database_url: str = field(default="", repr=False)
    """The settings' `database.url`, which may hold a password; empty for the default."""
    stored: Callable[[], Mapping[str, bytes]] = field(default=dict, repr=False)
    """What the plugin keeps (`Server.store`), read from the storage: for its commands, which run without the server.

    It opens and closes the storage, and blocks. Raises StorageError.
    """
