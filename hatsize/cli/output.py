"""Printing results: tables and sentences for people, JSON and YAML for programs."""

import json
import sys
from collections.abc import Sequence
from typing import Any

import click

from hatsize.cli.invocation import invocation

NO_TIME = "0001-01-01T00:00:00Z"
_CONTROLS = dict.fromkeys((*range(10), *range(11, 32), *range(127, 160)), "·")


def show(result: Any, sentence: str) -> None:
    """Print a result: the sentence for people, the whole for programs."""
    output = invocation().output
    click.echo(formatted(result, output) if output else sentence.translate(_CONTROLS))


def show_table(results: Sequence[Any], header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a list: as a table for people, the whole for programs."""
    output = invocation().output
    if output:
        click.echo(formatted(results, output))
        return
    _print_table(header, rows)


def formatted(result: Any, output: str) -> str:
    """A result in one of the forms for programs; JSON as Headscale indents it."""
    if output == "yaml":
        import yaml

        return str(yaml.safe_dump(result, sort_keys=False, allow_unicode=True)).rstrip("\n")
    if output == "json-line":
        return json.dumps(result, ensure_ascii=False, separators=(",", ":"))
    return json.dumps(result, ensure_ascii=False, indent="\t")


def minute(time: str | None, absent: str = "-") -> str:
    """A time of the API for people, in UTC to the second; `absent` for none."""
    if not time or time == NO_TIME:
        return absent
    return time[:19].replace("T", " ")


def yes(value: bool) -> str:
    return "yes" if value else "no"


def _print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(*header, box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for row in rows:
        table.add_row(*(cell.translate(_CONTROLS) for cell in row))
    width = None if sys.stdout.isatty() else 10_000
    Console(width=width, markup=False, highlight=False, emoji=False, soft_wrap=not sys.stdout.isatty()).print(table)
