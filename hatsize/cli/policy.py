"""`hatsize policy`: the policy in force."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from hatsize.cli.arguments import confirm, read_text
from hatsize.cli.failures import Refused, Unanswered
from hatsize.cli.nouns import Noun
from hatsize.cli.output import show
from hatsize.cli.policy_explain import explain
from hatsize.cli.policy_history import VERSION, history, revert
from hatsize.cli.policy_preview import file_option, preview
from hatsize.cli.policy_words import refuse, warn
from hatsize.cli.server import ask

command = Noun("policy", help="Show, check and save the policy.")


def direct_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Headscale's flag for a server that does not run."""
    name = "--bypass-server-and-access-database-directly"
    return click.option(name, "direct", is_flag=True, help="Open the database itself, the server being stopped.")(
        function
    )


@command.verb("get", "show", "view", "fetch")
@click.option("--version", type=VERSION, help="A policy that was saved before, as in the history.")
@direct_option
def get(version: int | None, direct: bool) -> None:
    """Print the policy in force, as it was written."""
    if direct:
        _make_sure()
        from hatsize.cli.policy_direct import stored_policy

        click.echo(stored_policy())
        return
    found = ask("GET", f"/policy/history/{version}" if version else "/policy")
    warn([found["problem"]] if found.get("problem") else [])
    click.echo(found["policy"])


@command.verb("set", "put", "update")
@file_option
@direct_option
def set_policy(file: Path, direct: bool) -> None:
    """Put a policy in force, unless its own tests fail."""
    text = read_text(file)
    try:
        saved = _store(text) if direct else ask("PUT", "/policy", {"policy": text})
    except Refused as refused:
        refuse(refused, text)
    warn(saved.get("warnings", ()))
    show(saved, "Policy updated.")


@command.verb("check")
@file_option
@direct_option
def check(file: Path, direct: bool) -> None:
    """Check a policy, and run its tests with the users and nodes there are, without saving it.

    Where no server answers, the policy is read and its tests are not run.
    """
    text = read_text(file)
    sentence = "Policy is valid"
    try:
        checked = _check_stored(text) if direct else ask("POST", "/policy/check", {"policy": text})
    except Refused as refused:
        refuse(refused, text)
    except Unanswered:
        checked = _read_alone(text)
        sentence += "; its tests were not run, for no server answers"
    warn(checked.get("warnings", ()))
    show(checked, sentence)


def _read_alone(text: str) -> dict[str, Any]:
    """The answer to a check for a policy that is only read."""
    from hatsize.cli.policy_offline import read_alone

    try:
        warnings = read_alone(text)
    except Refused as refused:
        refuse(refused, text)
    return _warned(warnings)


def _store(text: str) -> dict[str, Any]:
    """The answer to saving a policy in the database itself."""
    _make_sure()
    from hatsize.cli.policy_direct import store_policy

    return _warned(store_policy(text))


def _check_stored(text: str) -> dict[str, Any]:
    """The answer to checking a policy against the database itself."""
    _make_sure()
    from hatsize.cli.policy_direct import check_policy

    return _warned(check_policy(text))


def _warned(warnings: Sequence[str]) -> dict[str, Any]:
    return {"warnings": list(warnings)} if warnings else {}


def _make_sure() -> None:
    confirm("Two writers would harm each other. Is the server stopped?", "The database was not opened")


for verb in (preview, explain, history, revert):
    command.add_command(verb)
