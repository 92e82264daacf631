"""`hatsize health`: whether the server is well."""

import click

from hatsize.cli.failures import Failure
from hatsize.cli.nouns import Verb
from hatsize.cli.output import show
from hatsize.cli.policy_words import warn
from hatsize.cli.server import ask


@click.command("health", cls=Verb)
def command() -> None:
    """Ask the server whether it is well; exits 1 when it is not."""
    health = ask("GET", "/health")
    warnings = health.get("warnings", ())
    if not health["databaseConnectivity"]:
        raise Failure("; ".join(warnings) or "the server cannot reach its database: see its log")
    warn(warnings)
    show(health, "The server is well.")
