"""`hatsize policy history` and `revert`: the policies that were in force."""

import click

from hatsize.cli.failures import Refused
from hatsize.cli.nouns import Verb
from hatsize.cli.output import minute, show, show_table
from hatsize.cli.policy_words import refuse, warn
from hatsize.cli.server import ask

VERSION = click.IntRange(1, 2**64 - 1)


@click.command("history", cls=Verb)
def history() -> None:
    """List the policies that were saved, the newest first."""
    versions = ask("GET", "/policy/history")["versions"]
    rows = [
        (each["version"], minute(each["createdAt"]), each["author"] or "-", "in force" if each["inForce"] else "")
        for each in versions
    ]
    show_table(versions, ("Version", "Saved", "By", ""), rows)


@click.command("revert", cls=Verb)
@click.argument("version", type=VERSION)
def revert(version: int) -> None:
    """Put an earlier policy in force again, unless its tests fail by now."""
    try:
        saved = ask("POST", f"/policy/history/{version}/revert", {})
    except Refused as refused:
        refuse(refused, "")
    warn(saved.get("warnings", ()))
    show(saved, f"Policy {version} is in force again.")
