"""`hatsize import`: moving over from another server."""

from pathlib import Path
from typing import Any

import click

from hatsize.cli.invocation import common_options
from hatsize.cli.nouns import HELP_NAMES, Noun

command = Noun("import", help="Move over from another server.")


class _ForeignConfig(click.Command):
    """A verb whose `--config` is the other server's; our own settings file stands before the noun."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.params.extend(option for option in common_options() if option.name != "config")


_FILE = click.Path(path_type=Path)


@command.verb("headscale", cls=_ForeignConfig, context_settings=HELP_NAMES)
@click.option(
    "-c", "--config", "headscale_config", type=_FILE, envvar="HEADSCALE_CONFIG", default="/etc/headscale/config.yaml",
    show_default=True, help="Headscale's config.yaml.",
)  # fmt: skip
@click.option("--database", help="Headscale's database, a file or a postgresql:// URL, if not as in config.yaml.")
@click.option("--policy", type=_FILE, help="A policy to put in force instead of Headscale's.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be done.")
def headscale(headscale_config: Path, database: str | None, policy: Path | None, dry_run: bool) -> None:
    """Take over all of a Headscale server that is stopped: into an empty data directory, or one from it before.

    Users, nodes, auth keys and API keys, the policy, the private keys and the settings come over, or nothing does.
    Clients go on without a login once Hatsize has the server's address.
    """
    from hatsize.cli.import_headscale import import_headscale

    import_headscale(headscale_config, database, policy, dry_run=dry_run)
