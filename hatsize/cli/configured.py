"""The settings a command runs with. Slow to import: only for the verbs that need them."""

from collections.abc import Mapping
from typing import Any

from hatsize.cli.failures import WrongSettings
from hatsize.cli.invocation import invocation
from hatsize.server.settings import Settings, SettingsError, load_settings


def configured(flags: Mapping[str, Any] | None = None) -> Settings:
    """The settings of the command line, by dotted path over variables over the file; raises WrongSettings."""
    try:
        return read_settings(flags)
    except SettingsError as error:
        raise WrongSettings(f"the settings cannot be used:\n{error}") from None


def read_settings(flags: Mapping[str, Any] | None = None) -> Settings:
    """The same; raises SettingsError."""
    given = invocation()
    named = {"data_dir": given.data_dir} if given.data_dir else {}
    return load_settings(given.config, flags={**named, **(flags or {})})
