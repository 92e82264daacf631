"""`hatsize cluster`: what the replicas say of themselves, and moving clients away from one. It asks the database."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
import msgspec
import psycopg
from psycopg import Connection
from rich import box
from rich.console import Console
from rich.table import Table

from hatsize_cluster.database import Row, connected_now
from hatsize_cluster.sealing import new_key
from hatsize_cluster.status import Found, Status, have_them_tell, read_status

HEADER = ("Id", "Name", "State", "Version", "Change", "Lag", "Nodes", "Streams", "Relay", "Mesh", "Duties")
WIDTH = 1000
MOVED_WITHIN = 120.0


def cluster(info: str) -> click.Group:
    """The commands, for the database that is connected to by `info`."""
    group = click.Group("cluster", help="Show and move the replicas of this server.")

    @group.command("status", help="Show the replicas.")
    @_for_programs
    def status(output: str | None) -> None:
        found = _status(info)
        if output:
            _print_for_programs(found, output)
        else:
            _print(found)

    @group.command("drain", help="Let the clients of the replica ID, or of that name, go to the others.")
    @click.argument("replica", metavar="ID")
    @click.option("--cancel", is_flag=True, help="Let it take clients again.")
    @click.option("--no-wait", is_flag=True, help="Do not wait until the last client has left.")
    @_for_programs
    def drain(replica: str, cancel: bool, no_wait: bool, output: str | None) -> None:
        chosen = _chosen(_status(info), replica)
        _set_draining(info, chosen, wanted=not cancel)
        if cancel:
            said = f"{chosen.name} takes clients again"
        elif no_wait:
            said = f"{chosen.name} lets its clients go"
        else:
            _wait_until_empty(info, chosen)
            said = f"{chosen.name} has no clients any more; it can be stopped"
        if output:
            _print_for_programs({"id": chosen.id, "name": chosen.name, "draining": not cancel}, output)
        else:
            click.echo(said)

    @group.command("key", help="Print a new key for plugins.cluster.key_file.")
    def key() -> None:
        click.echo(new_key())

    return group


def _wanted_output(context: click.Context, _option: click.Parameter, given: str | None) -> str | None:
    """What `-o` says behind the verb or, as with every command of `hatsize`, before the noun."""
    return given or context.meta.get("hatsize.output")


_for_programs = click.option(
    "-o",
    "--output",
    type=click.Choice(["json", "json-line", "yaml"]),
    callback=_wanted_output,
    help="Print for programs.",
)


def _print_for_programs(found: Any, output: str) -> None:
    """As JSON, which is YAML too."""
    indent = 0 if output == "json-line" else 2
    click.echo(msgspec.json.format(msgspec.json.encode(found), indent=indent).decode())


@contextmanager
def _asking(info: str) -> Iterator[Connection[Row]]:
    """A connection to the database; what goes wrong with it inside is told in words."""
    try:
        with connected_now(info) as connection:
            yield connection
    except psycopg.errors.UndefinedTable:
        raise click.ClickException("no replica has ever joined: start one with `hatsize serve`") from None
    except psycopg.Error as error:
        raise click.ClickException(f"the database does not answer: {str(error).strip()}") from None


def _status(info: str) -> Status:
    with _asking(info) as connection:
        have_them_tell(connection)
        return read_status(connection)


def _chosen(status: Status, wanted: str) -> Found:
    """The replica with an id or a name."""
    found = [each for each in status.replicas if wanted in {each.id, each.name} and each.state != "lost"]
    if len(found) == 1:
        return found[0]
    there = ", ".join(f"{each.id} ({each.name})" for each in status.replicas)
    what = f"several replicas are called {wanted!r}: give an id" if found else f"no replica {wanted!r} is alive"
    raise click.ClickException(f"{what}; there is: {there or 'none'}")


def _set_draining(info: str, chosen: Found, *, wanted: bool) -> None:
    with _asking(info) as connection:
        connection.execute("UPDATE cluster_replica SET draining = %s WHERE epoch = %s", [wanted, chosen.epoch])
        have_them_tell(connection)


def _wait_until_empty(info: str, chosen: Found) -> None:
    deadline = time.monotonic() + MOVED_WITHIN
    while time.monotonic() < deadline:
        now = next((each for each in _status(info).replicas if each.epoch == chosen.epoch), None)
        if now is None or now.state == "lost" or (now.draining and not now.sessions):
            return
        time.sleep(0.5)
    text = f"{chosen.name} still has {now.sessions if now else 0} clients: does the balancer send them elsewhere?"
    raise click.ClickException(text)


def _print(status: Status) -> None:
    table = Table(*HEADER, box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for each in status.replicas:
        duties = str(len(each.duties)) if each.duties else "-"
        row = (each.id, each.name, each.state, each.version, each.seq, each.lag, each.nodes, each.sessions)
        table.add_row(*map(str, row), each.relay or "-", f"{each.linked}/{each.relays}", duties)
    Console(width=WIDTH, markup=False, highlight=False, emoji=False).print(table)
    click.echo(f"\nThe change log is at {status.seq}.")
    for each in status.replicas:
        for duty in each.duties:
            click.echo(f"{each.name}: {duty}")
