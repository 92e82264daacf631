"""`hatsize policy`: the policy in force."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from hatsize.cli.arguments import confirm, read_text
from hatsize.cli.failures import Refused
from hatsize.cli.nouns import Noun
from hatsize.cli.server import ask

command = Noun("policy", help="Show, check and save the policy.")

path = click.Path(path_type=Path)
file_option = click.option("-f", "--file", type=path, required=True, help="A policy in HuJSON; - for standard input.")


def direct_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Headscale's flag for a server that does not run."""
    name = "--bypass-server-and-access-database-directly"
    return click.option(name, "direct", is_flag=True, help="Open the database itself, the server being stopped.")(
        function
    )


@command.verb("get", "show", "view", "fetch")
@direct_option
def get(direct: bool) -> None:
    """Print the policy in force, as it was written."""
    if direct:
        _make_sure()
        from hatsize.cli.policy_direct import stored_policy

        click.echo(stored_policy())
        return
    click.echo(ask("GET", "/policy")["policy"])


@command.verb("set", "put", "update")
@file_option
@direct_option
def set_policy(file: Path, direct: bool) -> None:
    """Put a policy in force."""
    text = read_text(file)
    if direct:
        _make_sure()
        from hatsize.cli.policy_direct import store_policy

        store_policy(text)
    else:
        ask("PUT", "/policy", {"policy": text})
    click.echo("Policy updated.")


@command.verb("check")
@file_option
@direct_option
def check(file: Path, direct: bool) -> None:
    """Check a policy against the users and nodes there are, and run its tests, without saving it."""
    text = read_text(file)
    if direct:
        _make_sure()
        from hatsize.cli.policy_direct import check_policy

        check_policy(text)
    else:
        ask("POST", "/policy/check", {"policy": text})
    click.echo("Policy is valid")


@command.verb("preview")
@file_option
@click.option("--topology", type=path, help="A tailnet in JSON, with users and nodes, in place of the running one.")
@click.pass_context
def preview(context: click.Context, file: Path, topology: Path | None) -> None:
    """Print, in JSON, what each node would be sent under a policy."""
    from hatsize.cli.output import formatted

    text = read_text(file)
    try:
        nodes = _offline(text, topology) if topology else ask("POST", "/policy/preview", {"policy": text})["nodes"]
    except Refused as refused:
        click.echo(formatted({"message": refused.message}, "json"))
        context.exit(1)
    click.echo(formatted(nodes, "json"))


def _offline(text: str, topology: Path) -> Any:
    """The preview for a tailnet in a file; raises Refused."""
    import json

    from hatsize.policy.errors import PolicyError
    from hatsize.policy.preview import preview as previewed
    from hatsize.policy.topology import from_golden

    try:
        return previewed(text, from_golden(json.loads(read_text(topology))))
    except PolicyError as error:
        raise Refused(str(error)) from error
    except ValueError as error:
        raise Refused(f"{topology} is not JSON: {error}") from error


def _make_sure() -> None:
    confirm("Two writers would harm each other. Is the server stopped?", "The database was not opened")
