"""The settings a command runs with. Slow to import: only for the verbs that need them."""

import os
from collections.abc import Mapping
from typing import Any

import click

from hatsize.cli.failures import WrongSettings
from hatsize.cli.invocation import Invocation, invocation
from hatsize.server.settings import Settings, SettingsError, load_settings
from hatsize.server.settings_sources import unknown_variables


def configured(flags: Mapping[str, Any] | None = None) -> Settings:
    """The settings of the command line, by dotted path over variables over the file; raises WrongSettings."""
    try:
        return read_settings(flags)
    except SettingsError as error:
        raise WrongSettings(f"the settings cannot be used:\n{error}") from None


def warn_of_unknown_variables() -> None:
    """Say on standard error which `HATSIZE_…` variables are no settings, and so do nothing."""
    for name in unknown_variables(os.environ, Settings):
        click.echo(f"Warning: {name} is not a setting, and is ignored", err=True)


def read_settings(flags: Mapping[str, Any] | None = None, given: Invocation | None = None) -> Settings:
    """The same, as `given` on the command line, outside of a command too; raises SettingsError."""
    given = given or invocation()
    named = {"data_dir": given.data_dir} if given.data_dir else {}
    return load_settings(given.config, flags={**named, **(flags or {})})
