"""`hatsize version`: which version this is."""

import click

from hatsize.api.version import version_info
from hatsize.cli.nouns import Verb
from hatsize.cli.output import show


@click.command("version", cls=Verb)
def command() -> None:
    """Print the version of this program."""
    info = version_info()
    python = info["python"]
    show(info, f"hatsize version {info['version']} (Python {python['version']}, {python['os']} {python['arch']})")
