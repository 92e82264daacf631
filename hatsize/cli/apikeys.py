"""`hatsize apikeys`: API keys, by which programs administer."""

import click

from hatsize.cli.arguments import ID, key_id, later
from hatsize.cli.failures import Failure
from hatsize.cli.nouns import Noun
from hatsize.cli.output import minute, show, show_table
from hatsize.cli.server import ask, part

command = Noun("apikeys", help="Manage API keys, by which programs administer.")

prefix_option = click.option("-p", "--prefix", default="", help="The prefix, as in the list.")


@command.verb("create", "c", "new")
@click.option("-e", "--expiration", default="90d", callback=later, help="How long it is good for: 30m, 24h, 90d.")
@click.option("-u", "--user", type=ID, help="The id of the user whose key it will be; left out, nobody's.")
def create(expiration: str, user: int | None) -> None:
    """Make an API key. It is printed here and never again."""
    key = ask("POST", "/apikey", {"expiration": expiration} | ({"user": str(user)} if user else {}))["apiKey"]
    show(key, key)


@command.verb("list", "ls", "show")
def list_keys() -> None:
    """List API keys."""
    keys = ask("GET", "/apikey")["apiKeys"]
    rows = [
        [
            key["id"],
            key["prefix"],
            key.get("user", {}).get("name", "-"),
            minute(key["expiration"], "never"),
            minute(key["createdAt"]),
            minute(key["lastSeen"]),
        ]
        for key in keys
    ]
    show_table(keys, ["ID", "Prefix", "User", "Expiration", "Created", "Last used"], rows)


@command.verb("expire", "revoke", "exp", "e")
@prefix_option
@key_id
def expire(prefix: str, key_id: str | None) -> None:
    """Make an API key good for nothing."""
    _one_of(prefix, key_id)
    show(ask("POST", "/apikey/expire", {"prefix": prefix} if prefix else {"id": key_id}), "Key expired")


@command.verb("delete", "remove", "del")
@prefix_option
@key_id
def delete(prefix: str, key_id: str | None) -> None:
    """Remove an API key."""
    _one_of(prefix, key_id)
    show(ask("DELETE", f"/apikey/{part(prefix or _prefix_of(key_id))}"), "Key deleted")


def _one_of(prefix: str, number: str | None) -> None:
    if bool(prefix) == bool(number):
        raise click.UsageError("say which key: give either --id or --prefix")


def _prefix_of(number: str | None) -> str:
    """The prefix of the key with an id; the API removes keys by prefix alone."""
    for key in ask("GET", "/apikey")["apiKeys"]:
        if key["id"] == number:
            return str(key["prefix"])
    raise Failure(f"API key {number} does not exist: see `hatsize apikeys list`")
