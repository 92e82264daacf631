"""`hatsize messages`: what clients show to the people at the machines."""

from collections.abc import Sequence

import click

from hatsize.cli.arguments import ID
from hatsize.cli.nouns import Noun
from hatsize.cli.output import show, show_table
from hatsize.cli.server import ask, part

command = Noun("messages", help="Show messages to the people at the machines.")


@command.verb("list", "ls", "show")
def list_messages() -> None:
    """List the messages that clients show."""
    found = ask("GET", "/message")["messages"]
    rows = [
        [each["id"], each["severity"], each["title"], each["text"], ", ".join(each["nodes"]) or "all"] for each in found
    ]
    show_table(found, ["ID", "Severity", "Title", "Text", "Nodes"], rows)


@command.verb("set", "put", "create")
@click.argument("message_id", metavar="ID")
@click.option("--title", required=True, help="One line that says what it is about.")
@click.option("--text", required=True, help="What it says.")
@click.option("--severity", type=click.Choice(["high", "medium", "low"]), default="medium", help="How much it matters.")
@click.option("--url", default="", help="Where a button under it leads.")
@click.option("--label", default="", help="What stands on the button.")
@click.option("--node", "nodes", type=ID, multiple=True, help="Only this node's client shows it; may be repeated.")
def set_message(
    *, message_id: str, title: str, text: str, severity: str, url: str, label: str, nodes: Sequence[int]
) -> None:
    """Let clients show a message, under an ID of your choice; one with the same ID is replaced."""
    body = {"title": title, "text": text, "severity": severity, "url": url, "label": label}
    sent = {**body, "nodes": [str(node_id) for node_id in nodes]}
    show(ask("PUT", f"/message/{part(message_id)}", sent)["message"], "Message set")


@command.verb("delete", "del", "rm", "remove")
@click.argument("message_id", metavar="ID")
def delete(message_id: str) -> None:
    """Let clients show a message no more."""
    show(ask("DELETE", f"/message/{part(message_id)}"), "Message deleted")
