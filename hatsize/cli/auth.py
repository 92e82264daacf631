"""`hatsize auth`: what waits at `/register/AUTH-ID`, and deciding on it."""

from typing import Any

import click

from hatsize.cli.nouns import Noun
from hatsize.cli.output import minute, show, show_table
from hatsize.cli.server import ask

command = Noun("auth", help="Decide on machines and checks that wait for approval.")


@command.verb("list", "ls", "show")
def list_requests() -> None:
    """List what waits for a decision, the oldest first."""
    found = ask("GET", "/auth")["authRequests"]
    rows = [
        [
            each["authId"],
            each["purpose"],
            each["machine"],
            _wanted(each),
            minute(each["createdAt"]),
            minute(each["expires"]),
        ]
        for each in found
    ]
    show_table(found, ["Auth ID", "Purpose", "Machine", "Wants", "Since", "Until"], rows)


def _wanted(request: dict[str, Any]) -> str:
    """Where a session is to go, or what a machine asks to be."""
    return request.get("target") or ", ".join(request.get("tags", ())) or "-"


auth_id_option = click.option("--auth-id", required=True, help="What stands at the end of the page's address.")


@command.verb("register")
@click.option("-u", "--user", required=True, help="The name of the user whose machine it is.")
@auth_id_option
def register(user: str, auth_id: str) -> None:
    """Let a machine join that waits for it."""
    node = ask("POST", "/auth/register", {"user": user, "authId": auth_id})["node"]
    show(node, f"Node {node['givenName']} registered")


@command.verb("approve")
@auth_id_option
def approve(auth_id: str) -> None:
    """Let a check go through, as one before an SSH session."""
    show(ask("POST", "/auth/approve", {"authId": auth_id}), "Auth request approved")


@command.verb("reject")
@auth_id_option
def reject(auth_id: str) -> None:
    """Refuse a machine or a check."""
    show(ask("POST", "/auth/reject", {"authId": auth_id}), "Auth request rejected")
