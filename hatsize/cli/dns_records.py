"""`hatsize dns records`: names that the tailnet resolves besides those of its nodes."""

import click

from hatsize.cli.arguments import identifier
from hatsize.cli.nouns import Noun
from hatsize.cli.output import show, show_table
from hatsize.cli.policy_words import warn
from hatsize.cli.server import ask

records = Noun("records", help="Add and remove records.")


@records.verb("list", "ls", "show")
def list_records() -> None:
    """List records, wherever they come from, and who answers for them."""
    found = ask("GET", "/dns/record")["records"]
    rows = [
        [
            each["id"] or "-",
            each["name"],
            each["type"],
            each["value"],
            str(each["ttl"] or "-"),
            each["source"],
            each["answeredBy"] or "nobody",
        ]
        for each in found
    ]
    show_table(found, ["ID", "Name", "Type", "Value", "TTL", "Source", "Answered by"], rows)


@records.verb("add", "create", "c", "new")
@click.argument("name")
@click.argument("kind", metavar="TYPE")
@click.argument("value")
@click.option("--ttl", type=click.IntRange(0), default=0, help="Seconds, for servers; clients keep to their own.")
def add(name: str, kind: str, value: str, ttl: int) -> None:
    """Add a record: A, AAAA, CNAME, TXT or SRV, whose value is "PRIORITY WEIGHT PORT TARGET"."""
    answer = ask("POST", "/dns/record", {"name": name, "type": kind, "value": value, "ttl": ttl})
    warn(answer.get("warnings", ()))
    show(answer["record"], f"Record {answer['record']['id']} added")


@records.verb("remove", "delete", "rm", "del")
@identifier()
def remove(identifier: str) -> None:
    """Remove a record."""
    show(ask("DELETE", f"/dns/record/{identifier}"), "Record removed")
