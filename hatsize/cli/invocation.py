"""What every command line may carry, before the noun or after the verb: `-c`, `-o`, `--force`, `--data-dir`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

FORMATS = ("json", "json-line", "yaml")
_META = "hatsize."


@dataclass(frozen=True, slots=True)
class Invocation:
    """The common options of the command line that is being carried out."""

    config: Path | None
    data_dir: Path | None
    output: str
    """One of FORMATS; empty for people."""
    force: bool


def invocation(context: click.Context | None = None) -> Invocation:
    """The common options, by the context of a command or the current one."""
    found = context or click.get_current_context(silent=True)
    meta = found.meta if found else {}
    return Invocation(
        config=meta.get(_META + "config"),
        data_dir=meta.get(_META + "data_dir"),
        output=meta.get(_META + "output", ""),
        force=meta.get(_META + "force", False),
    )


def common_options() -> Sequence[click.Option]:
    """The options, new for each command; the last place on the command line wins."""
    path = click.Path(path_type=Path)
    return (
        click.Option(
            ["-c", "--config"], type=path, envvar="HATSIZE_CONFIG", help="The server's settings, a TOML file.", **_KEPT
        ),
        click.Option(
            ["--data-dir"], type=path, envvar="HATSIZE_DATA_DIR", help="The server's data directory.", **_KEPT
        ),
        click.Option(["-o", "--output"], type=click.Choice(FORMATS), help="Print for programs.", **_KEPT),
        click.Option(["--force"], is_flag=True, default=None, help="Do not ask before doing harm.", **_KEPT),
    )


def _keep(context: click.Context, option: click.Parameter, value: object) -> None:
    """Remember an option that was given; one from the environment does not go before one on the command line."""
    assert option.name is not None
    key = _META + option.name
    given = context.get_parameter_source(option.name) is click.core.ParameterSource.COMMANDLINE
    if value is not None and (given or key not in context.meta):
        context.meta[key] = value


_KEPT: dict[str, Any] = {"callback": _keep, "expose_value": False}
