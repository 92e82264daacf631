"""What is said of a policy that is refused, or that is taken with a doubt."""

import re
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from hatsize.cli.failures import Failure, Refused
from hatsize.cli.invocation import invocation
from hatsize.cli.output import formatted

_PLACE = re.compile(r"line (\d+), column (\d+): ")


def refuse(refused: Refused, text: str) -> NoReturn:
    """End the command with 1: the hosted service's body for programs, words with the lines in question for people."""
    output = invocation().output
    if not output:
        raise Failure("\n".join([*_excerpts(refused.message, text), *_failures(refused.data)]))
    body: dict[str, Any] = {"message": refused.message, **({"data": refused.data} if refused.data else {})}
    click.echo(formatted(body, output))
    click.get_current_context().exit(1)
    raise AssertionError("unreachable")


def warn(warnings: Sequence[str]) -> None:
    """Tell people, on standard error, of what is doubtful."""
    if not invocation().output:
        for warning in warnings:
            click.secho(f"Warning: {warning}", err=True, fg="yellow")


def _failures(data: Sequence[Any]) -> list[str]:
    """The tests that failed, one in a line."""
    return [f"  {each['user']}: {error}" for each in data for error in each.get("errors") or ()]


def _excerpts(message: str, text: str) -> list[str]:
    """The message's lines, below each that names a place the policy's line with a mark under the column."""
    lines, found = text.splitlines(), []
    for part in message.splitlines():
        found.append(part)
        place = _PLACE.match(part)
        if place and 0 < int(place[1]) <= len(lines):
            source = lines[int(place[1]) - 1]
            before = "".join(letter if letter == "\t" else " " for letter in source[: int(place[2]) - 1])
            found += [f"    {source}", f"    {before}^"]
    return found
