"""`hatsize policy`: the policy in force."""

from pathlib import Path

import click

from hatsize.cli.arguments import read_text
from hatsize.cli.nouns import Noun
from hatsize.cli.server import ask

command = Noun("policy", help="Show, check and save the policy.")

file_option = click.option(
    "-f", "--file", type=click.Path(path_type=Path), required=True, help="The policy in HuJSON; - for standard input."
)


@command.verb("get", "show", "view", "fetch")
def get() -> None:
    """Print the policy in force, as it was written."""
    click.echo(ask("GET", "/policy")["policy"])


@command.verb("set", "put", "update")
@file_option
def set_policy(file: Path) -> None:
    """Put a policy in force."""
    ask("PUT", "/policy", {"policy": read_text(file)})
    click.echo("Policy updated.")


@command.verb("check")
@file_option
def check(file: Path) -> None:
    """Check a policy against the users and nodes there are, and run its tests, without saving it."""
    ask("POST", "/policy/check", {"policy": read_text(file)})
    click.echo("Policy is valid")
