"""`hatsize db status` and `check`: what the database holds, and whether it holds together."""

from dataclasses import asdict
from typing import Any

import click

from hatsize.builtin.storage import migrate
from hatsize.builtin.storage.operations.check import check
from hatsize.builtin.storage.operations.status import Status, status
from hatsize.cli.db_opened import configured_database, in_words, opened
from hatsize.cli.invocation import invocation
from hatsize.cli.output import formatted, show, show_table

HEADER = ["ID", "Tailnet", "Changes", "Log from", "Users", "Nodes", "Keys", "Rows"]


def show_status() -> None:
    """Print how the configured database stands."""
    with in_words(), opened(configured_database()) as database:
        found = status(database)
    if invocation().output:
        click.echo(formatted(_plain(found), invocation().output))
        return
    for label, text in (
        ("Database", found.where.removeprefix("database ")),
        ("Engine", found.engine),
        ("Schema", _schema(found)),
        ("Size", f"{found.size / 1e6:.1f} MB"),
    ):
        click.echo(f"{label + ':':10}{text}")
    if found.other_tables:
        click.echo(f"Others:   {', '.join(found.other_tables)}")
    if found.tailnets:
        click.echo()
        show_table([], HEADER, _rows(found))


def show_check() -> None:
    """Print what is wrong with the configured database, and exit with 1 where there is anything."""
    with in_words(), opened(configured_database(), current=True) as database:
        findings = check(database)
    if not findings:
        show({"sound": True, "findings": []}, "The database is sound.")
        return
    if invocation().output:
        click.echo(formatted({"sound": False, "findings": findings}, invocation().output))
    else:
        show_table([], ["Finding"], [[finding] for finding in findings])
    click.get_current_context().exit(1)


def _plain(found: Status) -> dict[str, Any]:
    plain = asdict(found)
    where = plain.pop("where").removeprefix("database ")
    return {"database": where, **plain, "current": found.current}


def _schema(found: Status) -> str:
    if found.current:
        return f"{found.schema}, this program's"
    if found.schema is None:
        return "none yet: `hatsize db upgrade`, or start the server"
    if found.schema in migrate.known():
        return f"{found.schema}, this program needs {found.program}: `hatsize db upgrade`"
    return f"{found.schema}, of a newer Hatsize: this one knows up to {found.program}"


def _rows(found: Status) -> list[list[str]]:
    return [
        [
            str(each.id),
            each.name,
            str(each.seq),
            str(each.log_from),
            *(str(each.rows[table]) for table in ("user", "node", "credential")),
            str(sum(each.rows.values())),
        ]
        for each in found.tailnets
    ]
