"""Arguments that several verbs take, and asking before harm is done."""

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from hatsize.cli.failures import Failure
from hatsize.cli.invocation import invocation
from hatsize.server.settings_values import parse_duration

ID = click.IntRange(1, 2**64 - 1)


def identifier(required: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`-i ID`, whose value is the text the API takes, or None."""
    return click.option(
        "-i", "--identifier", type=ID, required=required, callback=_as_text, help="The id, as in the list."
    )


def key_id(function: Callable[..., Any]) -> Callable[..., Any]:
    """`-i ID` of a key."""
    return click.option("-i", "--id", "key_id", type=ID, callback=_as_text, help="The id, as in the list.")(function)


def listed(_: click.Context, __: click.Parameter, values: Sequence[str]) -> list[str]:
    """An option given several times, or with commas between, as one list."""
    return [item.strip() for value in values for item in value.split(",") if item.strip()]


def later(_: click.Context, __: click.Parameter, value: str) -> str:
    """A duration from now, as a moment for the API."""
    try:
        moment = datetime.now(UTC) + parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    except OverflowError:
        raise click.BadParameter(f"{value} from now is beyond the calendar") from None
    return moment.isoformat().replace("+00:00", "Z")


def moment(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """An RFC 3339 time with its offset; None and empty stay as they are."""
    if not value:
        return value
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        parsed = None
    if parsed is None or parsed.tzinfo is None:
        raise click.BadParameter(f"{value!r} is not a time with its offset; give one such as 2027-08-27T10:00:00Z")
    return parsed.isoformat()


def read_text(path: Path) -> str:
    """A file's text, or the standard input's for `-`; raises Failure."""
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text("utf-8")
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Failure(f"{path} is not UTF-8 text") from error


def confirm(question: str, undone: str) -> None:
    """Ask before harm is done, unless `--force` is given; a Failure that says what was not done for a no."""
    if invocation().force:
        return
    try:
        agreed = click.confirm(question, err=True)
    except click.Abort:
        agreed = False
    if not agreed:
        raise Failure(f"{undone}; answer y, or repeat it with --force")


def _as_text(_: click.Context, __: click.Parameter, value: int | None) -> str | None:
    return None if value is None else str(value)
