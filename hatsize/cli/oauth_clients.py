"""`hatsize oauth-clients`: OAuth clients, by which programs get tokens for API v2."""

import click

from hatsize.cli.arguments import confirm, listed
from hatsize.cli.nouns import Noun
from hatsize.cli.output import minute, show, show_table
from hatsize.cli.server import ask_v2, part
from hatsize.tailnet.scopes import SCOPES

command = Noun("oauth-clients", help="Manage OAuth clients, by which programs get tokens for API v2.")


def _scopes(context: click.Context, option: click.Parameter, text: str) -> list[str]:
    """The scopes that a word on the command line may become."""
    del context, option
    return [scope for scope in SCOPES if scope.startswith(text)]


@command.verb("create", "c", "new")
@click.option(
    "-s",
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    callback=listed,
    shell_complete=_scopes,
    help="What its tokens may do, as devices:core or dns:read; several are given one by one or with commas.",
)
@click.option("-t", "--tag", "tags", multiple=True, callback=listed, help="The tags that its tokens may give away.")
@click.option("-d", "--description", default="", help="What it is for.")
def create(scopes: list[str], tags: list[str], description: str) -> None:
    """Make an OAuth client. Its secret is printed here and never again."""
    body = {"keyType": "client", "scopes": scopes, "tags": tags, "description": description}
    client = ask_v2("POST", "/keys", body)
    show(client, f"OAuth client {client['id']} created, with this secret, which is shown once:\n{client['key']}")


@command.verb("list", "ls", "show")
def list_clients() -> None:
    """List OAuth clients."""
    clients = [key for key in ask_v2("GET", "/keys?all=true")["keys"] if key["keyType"] == "client"]
    rows = [
        [
            client["id"],
            "\n".join(client["scopes"]),
            "\n".join(client.get("tags", ())) or "-",
            client["description"] or "-",
            minute(client["created"]),
        ]
        for client in clients
    ]
    show_table(clients, ["ID", "Scopes", "Tags", "Description", "Created"], rows)


@command.verb("delete", "remove", "del")
@click.option("-i", "--id", "client_id", required=True, help="The id, as in the list.")
def delete(client_id: str) -> None:
    """Remove an OAuth client, with its tokens. Nodes that joined by its keys stay."""
    confirm(f"Remove the OAuth client {client_id}? What uses it stops working.", "OAuth client not removed")
    ask_v2("DELETE", f"/keys/{part(client_id)}")
    show({"id": client_id}, f"OAuth client {client_id} deleted")
