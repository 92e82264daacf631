"""`hatsize configtest`: whether the settings can be used."""

from collections.abc import Sequence
from dataclasses import asdict

import click

from hatsize.cli.configured import read_settings, warn_of_unknown_variables
from hatsize.cli.nouns import Verb
from hatsize.cli.output import show
from hatsize.hooks.manager import PluginError
from hatsize.server.plugins import choose_services, load_plugins
from hatsize.server.settings import SettingsError
from hatsize.server.settings_problems import SettingProblem


@click.command("configtest", cls=Verb)
@click.pass_context
def command(context: click.Context) -> None:
    """Check the settings and the plugins they name; prints ok, or all that is wrong, and then exits 2."""
    warn_of_unknown_variables()
    problems = _problems()
    if not problems:
        show({"ok": True, "problems": []}, "ok")
        return
    show({"ok": False, "problems": [asdict(problem) for problem in problems]}, "\n".join(map(str, problems)))
    context.exit(2)


def _problems() -> Sequence[SettingProblem]:
    """All that is wrong, without starting or opening anything."""
    try:
        settings = read_settings()
        choose_services(load_plugins(settings), settings)
    except SettingsError as error:
        return error.problems
    except PluginError as error:
        return [SettingProblem("plugins", "", str(error), "")]
    return []
