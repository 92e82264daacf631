"""`hatsize configtest`: whether the settings can be used."""

from dataclasses import asdict

import click

from hatsize.cli.configured import read_settings, warn_of_unknown_variables
from hatsize.cli.nouns import Verb
from hatsize.cli.output import show
from hatsize.server.settings import SettingsError


@click.command("configtest", cls=Verb)
@click.pass_context
def command(context: click.Context) -> None:
    """Check the settings; prints ok, or all that is wrong with them, and then exits 2."""
    warn_of_unknown_variables()
    try:
        read_settings()
    except SettingsError as error:
        show({"ok": False, "problems": [asdict(problem) for problem in error.problems]}, str(error))
        context.exit(2)
    show({"ok": True, "problems": []}, "ok")
