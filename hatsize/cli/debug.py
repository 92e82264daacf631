"""`hatsize debug`: help with tests and with finding errors."""

import click

from hatsize.cli.arguments import listed
from hatsize.cli.nouns import Noun
from hatsize.cli.output import show
from hatsize.cli.server import ask

command = Noun("debug", help="Help with tests and with finding errors.")


@command.verb("create-node")
@click.option("--name", required=True, help="The host name.")
@click.option("-u", "--user", required=True, help="The name of a user.")
@click.option("-k", "--key", required=True, help="The auth id it shall wait under.")
@click.option("-r", "--route", multiple=True, callback=listed, help="Routes it shall advertise.")
def create_node(name: str, user: str, key: str, route: list[str]) -> None:
    """Make a registration that waits for `auth register`, as if a machine had asked for it."""
    node = ask("POST", "/debug/node", {"name": name, "user": user, "key": key, "routes": route})["node"]
    show(node, "Node created")
