"""Telling why a command was not carried out: one line, or JSON for programs."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from hatsize.cli.invocation import invocation
from hatsize.cli.output import formatted


class Failure(click.ClickException):
    """A refusal that names the thing and the mend; exits 1."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.ctx = click.get_current_context(silent=True)


class Refused(Failure):
    """A server's refusal, in its words. `data` tells which of a policy's tests failed, and how."""

    def __init__(self, message: str, data: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(message)
        self.data = data


class Unanswered(Failure):
    """There is no server to ask."""


class WrongSettings(Failure):
    """Settings that cannot be used; exits 2."""

    exit_code = 2


def show_failure(error: click.ClickException) -> None:
    """Write the failure to standard error, in the form the command line asked for."""
    context: click.Context | None = getattr(error, "ctx", None)
    message = error.format_message()
    if isinstance(error, click.UsageError) and context is not None:
        message = f"{message.rstrip('.')} (see `{context.command_path} --help`)"
    output = invocation(context).output if context else ""
    click.echo(formatted({"error": message}, output) if output else f"Error: {message}", err=True)
