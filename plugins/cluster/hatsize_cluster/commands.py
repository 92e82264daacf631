"""`hatsize cluster`: what the replicas say of themselves, and moving clients away from one. It asks the database."""

import time

import click
import msgspec
import psycopg
from rich import box
from rich.console import Console
from rich.table import Table

from hatsize_cluster.database import connected_now
from hatsize_cluster.sealing import new_key
from hatsize_cluster.status import Found, Status, have_them_tell, read_status

HEADER = ("Id", "Name", "State", "Version", "Change", "Lag", "Nodes", "Streams", "Relay", "Mesh", "Duties")
WIDTH = 200
MOVED_WITHIN = 120.0


def cluster(info: str) -> click.Group:
    """The commands, for the database that is connected to by `info`."""
    group = click.Group("cluster", help="Show and move the replicas of this server.")

    @group.command("status", help="Show the replicas.")
    @click.option("-o", "--output", type=click.Choice(["json"]), help="Print for programs.")
    def status(output: str | None) -> None:
        found = _status(info)
        if output:
            click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
        else:
            _print(found)

    @group.command("drain", help="Let the clients of the replica ID, or of that name, go to the others.")
    @click.argument("replica", metavar="ID")
    @click.option("--cancel", is_flag=True, help="Let it take clients again.")
    @click.option("--no-wait", is_flag=True, help="Do not wait until the last client has left.")
    def drain(replica: str, cancel: bool, no_wait: bool) -> None:
        chosen = _chosen(_status(info), replica)
        _set_draining(info, chosen, wanted=not cancel)
        if cancel:
            click.echo(f"{chosen.name} takes clients again")
        elif not no_wait:
            _wait_until_empty(info, chosen)

    @group.command("key", help="Print a new key for plugins.cluster.key_file.")
    def key() -> None:
        click.echo(new_key())

    return group


def _status(info: str) -> Status:
    try:
        with connected_now(info) as connection:
            have_them_tell(connection)
            return read_status(connection)
    except psycopg.errors.UndefinedTable:
        raise click.ClickException("no replica has ever joined: start one with `hatsize serve`") from None
    except psycopg.Error as error:
        raise click.ClickException(f"the database does not answer: {str(error).strip()}") from None


def _chosen(status: Status, wanted: str) -> Found:
    """The replica with an id or a name."""
    found = [each for each in status.replicas if wanted in {each.id, each.name} and each.state != "lost"]
    if len(found) == 1:
        return found[0]
    there = ", ".join(f"{each.id} ({each.name})" for each in status.replicas)
    what = f"several replicas are called {wanted!r}: give an id" if found else f"no replica {wanted!r} is alive"
    raise click.ClickException(f"{what}; there is: {there or 'none'}")


def _set_draining(info: str, chosen: Found, *, wanted: bool) -> None:
    with connected_now(info) as connection:
        connection.execute("UPDATE cluster_replica SET draining = %s WHERE epoch = %s", [wanted, chosen.epoch])
        have_them_tell(connection)


def _wait_until_empty(info: str, chosen: Found) -> None:
    deadline = time.monotonic() + MOVED_WITHIN
    while time.monotonic() < deadline:
        now = next((each for each in _status(info).replicas if each.epoch == chosen.epoch), None)
        if now is None or now.state == "lost" or (now.draining and not now.sessions):
            click.echo(f"{chosen.name} has no clients any more; it can be stopped")
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
