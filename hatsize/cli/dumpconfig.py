"""`hatsize dumpConfig`: the settings in force."""

import click

from hatsize.cli.configured import configured
from hatsize.cli.invocation import invocation
from hatsize.cli.nouns import Verb
from hatsize.cli.output import formatted


@click.command("dumpConfig", cls=Verb, hidden=True)
def command() -> None:
    """Print all settings as they are in force, secrets hidden; as YAML unless -o says otherwise."""
    settings = configured().model_dump(mode="json", by_alias=True)
    click.echo(formatted(settings, invocation().output or "yaml"))
