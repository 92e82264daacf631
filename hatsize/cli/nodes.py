"""`hatsize nodes`: the machines of the tailnet."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click

from hatsize.cli.arguments import ID, confirm, identifier, listed, moment
from hatsize.cli.failures import Failure
from hatsize.cli.nodes_tables import show_nodes, show_routes
from hatsize.cli.nouns import Noun
from hatsize.cli.output import show
from hatsize.cli.server import ask, part

command = Noun("nodes", help="Manage nodes.")


@command.verb("list", "ls", "show")
@click.option("-u", "--user", default="", help="Only the nodes of the user with this name.")
def list_nodes(user: str) -> None:
    """List nodes."""
    show_nodes(ask("GET", "/node", **({"user": user} if user else {}))["nodes"])


@command.verb("list-routes", "lsr", "routes")
@identifier(required=False)
def list_routes(identifier: str | None) -> None:
    """List the routes that nodes advertise, may serve, and serve."""
    show_routes([ask("GET", f"/node/{identifier}")["node"]] if identifier else ask("GET", "/node")["nodes"])


@command.verb("register", deprecated="use `hatsize auth register`")
@click.option("-u", "--user", required=True, help="The name of the user whose machine it is.")
@click.option("-k", "--key", required=True, help="What stands at the end of the page's address.")
def register(user: str, key: str) -> None:
    """Let a machine join that waits for it."""
    node = ask("POST", "/node/register", user=user, key=key)["node"]
    show(node, f"Node {node['givenName']} registered")


@command.verb("approve")
@identifier()
def approve(identifier: str) -> None:
    """Let a node take part that waits for approval."""
    node = _change(identifier, "approve")
    show(node, f"Node {node['givenName']} approved")


@command.verb("expire", "logout", "exp", "e")
@identifier()
@click.option("-e", "--expiry", callback=moment, help="When, as 2027-08-27T10:00:00Z; left out: now.")
@click.option("-d", "--disable", is_flag=True, help="Let the node's key live for ever.")
def expire(identifier: str, expiry: str | None, disable: bool) -> None:
    """Expire a node's key, so that it has to log in again."""
    if disable:
        node = _change(identifier, "expire", {"disableExpiry": True})
        return show(node, "Node expiry disabled")
    node = _change(identifier, "expire", {"expiry": expiry} if expiry else {})
    over = not expiry or datetime.fromisoformat(expiry) <= datetime.now(UTC)
    return show(node, "Node expired" if over else "Node expiration updated")


@command.verb("rename")
@click.argument("new_name")
@identifier()
def rename(new_name: str, identifier: str) -> None:
    """Rename a node."""
    show(_change(identifier, f"rename/{part(new_name)}"), "Node renamed")


@command.verb("delete", "del")
@identifier()
def delete(identifier: str) -> None:
    """Remove a node."""
    node = ask("GET", f"/node/{identifier}")["node"]
    confirm(f"Remove the node {node['givenName']}?", "Node not deleted")
    ask("DELETE", f"/node/{identifier}")
    show({"Result": "Node deleted"}, "Node deleted")


@command.verb("tag", "tags", "t")
@identifier()
@click.option("-t", "--tags", multiple=True, callback=listed, help="All the tags it shall have, as tag:server.")
def tag(identifier: str, tags: list[str]) -> None:
    """Set a node's tags, instead of those it has."""
    show(_change(identifier, "tags", {"tags": tags}), "Node updated")


@command.verb("approve-routes")
@identifier()
@click.option("-r", "--routes", multiple=True, callback=listed, help="All the routes it may serve; '' for none.")
def approve_routes(identifier: str, routes: list[str]) -> None:
    """Set the routes a node may serve, instead of those approved before."""
    show(_change(identifier, "approve_routes", {"routes": routes}), "Node updated")


@command.verb("move")
@identifier()
@click.option("-u", "--user", type=ID, required=True, help="The id of the user whose it shall be.")
def move(identifier: str, user: int) -> None:
    """Give a node to another user."""
    show(_change(identifier, "user", {"user": str(user)}), "Node moved")


@command.verb("address", "addresses", "ip")
@identifier()
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
def address(identifier: str, addresses: Sequence[str]) -> None:
    """Give a node an address of your choice: IPv4, IPv6, or one of each."""
    show(_change(identifier, "addresses", {"addresses": list(addresses)}), "Node updated")


@command.verb("backfillips")
def backfillips() -> None:
    """Give every node the addresses it should have by the prefixes in force, and take those it should not."""
    confirm("This changes the addresses of nodes. Go on?", "Addresses not changed")
    show(ask("POST", "/node/backfillips", confirmed="true"), "Node IPs backfilled successfully")


@command.verb("ping")
@click.argument("identifier", metavar="ID", type=ID)
@click.option("--to", type=ID, help="The id of another node, which the node is to ping.")
def ping(identifier: int, to: int | None) -> None:
    """Ask a connected node for a sign of life, or how it reaches another node."""
    answer = ask("POST", f"/node/{identifier}/ping", {"to": str(to)} if to else {})
    path = f" by {answer['path']}" if answer["path"] else ""
    show(answer, f"pong{path} in {answer['milliseconds']:.1f} ms")


@command.verb("debug")
@click.argument("identifier", metavar="ID", type=ID)
@click.argument("path")
@click.option("-X", "--method", default="GET", help="The HTTP method, GET where left out.")
@click.option("-d", "--data", default="", help="The request's body.")
def debug(identifier: int, path: str, method: str, data: str) -> None:
    """Ask a connected node's client for PATH, as /debug/goroutines, /debug/metrics or /echo."""
    answer = ask("POST", f"/node/{identifier}/debug", {"path": path, "method": method, "body": data})
    if answer["status"] >= 400:
        raise Failure(f"the node answered {answer['status']}: {answer['body'].strip()}")
    show(answer, answer["body"].rstrip("\n"))


def _change(number: str, verb: str, body: Any = None) -> dict[str, Any]:
    """Do something to a node; the node as it is then."""
    node: dict[str, Any] = ask("POST", f"/node/{number}/{verb}", body)["node"]
    return node
