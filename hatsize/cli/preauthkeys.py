"""`hatsize preauthkeys`: auth keys, by which nodes join."""

import click

from hatsize.cli.arguments import ID, key_id, later, listed
from hatsize.cli.nouns import Noun
from hatsize.cli.output import minute, show, show_table, yes
from hatsize.cli.server import ask

command = Noun("preauthkeys", help="Manage auth keys, by which nodes join.")


@command.verb("create", "c", "new")
@click.option("-u", "--user", type=ID, help="The id of the user whose nodes they will be.")
@click.option("--reusable", is_flag=True, help="Any number of nodes may join by it.")
@click.option("--ephemeral", is_flag=True, help="Nodes that join by it are removed when they stay away.")
@click.option("--preapproved/--no-preapproved", default=True, help="Whether nodes that join by it wait for nobody.")
@click.option("-e", "--expiration", default="1h", callback=later, help="How long it is good for: 30m, 24h, 90d.")
@click.option("--tags", multiple=True, callback=listed, help="The tags of nodes that join by it.")
def create(
    *, user: int | None, reusable: bool, ephemeral: bool, preapproved: bool, expiration: str, tags: list[str]
) -> None:
    """Make an auth key. It is printed here and never again."""
    body = {"reusable": reusable, "ephemeral": ephemeral, "expiration": expiration, "aclTags": tags}
    body |= {} if preapproved else {"preapproved": False}
    key = ask("POST", "/preauthkey", body | ({"user": str(user)} if user else {}))["preAuthKey"]
    show(key, key["key"])


@command.verb("list", "ls", "show")
def list_keys() -> None:
    """List auth keys."""
    keys = ask("GET", "/preauthkey")["preAuthKeys"]
    rows = [
        [
            key["id"],
            key["key"],
            yes(key["reusable"]),
            yes(key["ephemeral"]),
            yes(key["used"]),
            minute(key["expiration"], "never"),
            minute(key["createdAt"]),
            "\n".join(key["aclTags"]) or (key["user"] or {}).get("name", "-"),
        ]
        for key in keys
    ]
    show_table(keys, ["ID", "Key/Prefix", "Reusable", "Ephemeral", "Used", "Expiration", "Created", "Owner"], rows)


@command.verb("expire", "revoke", "exp", "e")
@key_id
def expire(key_id: str | None) -> None:
    """Make an auth key good for nothing."""
    show(ask("POST", "/preauthkey/expire", {"id": _given(key_id)}), "Key expired")


@command.verb("delete", "del", "rm", "d")
@key_id
def delete(key_id: str | None) -> None:
    """Remove an auth key. Nodes that joined by it stay."""
    show(ask("DELETE", "/preauthkey", id=_given(key_id)), "Key deleted")


def _given(number: str | None) -> str:
    if not number:
        raise click.UsageError("say which key: give --id")
    return number
