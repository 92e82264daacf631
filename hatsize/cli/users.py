"""`hatsize users`: the users of the tailnet."""

from typing import Any

import click

from hatsize.cli.arguments import confirm, identifier
from hatsize.cli.failures import Failure
from hatsize.cli.nouns import Noun
from hatsize.cli.output import minute, show, show_table
from hatsize.cli.server import ask, part

command = Noun("users", help="Manage users.")
ROLES = ("owner", "admin", "network-admin", "it-admin", "billing-admin", "auditor", "member")


@command.verb("create", "c", "new")
@click.argument("name")
@click.option("-d", "--display-name", default="", help="The name shown to people.")
@click.option("-e", "--email", default="", help="The e-mail address, by which policies then name the user.")
@click.option("-p", "--picture-url", default="", help="The URL of a picture.")
def create(name: str, display_name: str, email: str, picture_url: str) -> None:
    """Make a user."""
    body = {"name": name, "displayName": display_name, "email": email, "pictureUrl": picture_url}
    user = ask("POST", "/user", {key: value for key, value in body.items() if value})["user"]
    show(user, "User created")


@command.verb("list", "ls", "show")
@identifier(required=False)
@click.option("-n", "--name", default="", help="Only the user with this name.")
@click.option("-e", "--email", default="", help="Only the user with this e-mail address.")
def list_users(identifier: str | None, name: str, email: str) -> None:
    """List users."""
    given = {"id": identifier or "", "name": name, "email": email}
    users = ask("GET", "/user", **{key: value for key, value in given.items() if value})["users"]
    show_table(users, ["ID", "Name", "Username", "Email", "Role", "Created"], [_row(user) for user in users])


@command.verb("destroy", "delete")
@identifier(required=False)
@click.option("-n", "--name", default="", help="The user's name.")
def destroy(identifier: str | None, name: str) -> None:
    """Remove a user who owns no nodes, with their keys."""
    user = _one(identifier, name)
    confirm(f"Remove the user {user['name']!r} ({user['id']}) and their auth keys?", "User not destroyed")
    show(ask("DELETE", f"/user/{user['id']}"), "User destroyed")


@command.verb("rename", "mv")
@identifier(required=False)
@click.option("-n", "--name", default="", help="The user's name.")
@click.option("-r", "--new-name", required=True, help="The name it shall have.")
def rename(identifier: str | None, name: str, new_name: str) -> None:
    """Rename a user."""
    user = _one(identifier, name)
    show(ask("POST", f"/user/{user['id']}/rename/{part(new_name)}")["user"], "User renamed")


@command.verb("set", "describe")
@identifier(required=False)
@click.option("-n", "--name", default="", help="The user's name.")
@click.option("-d", "--display-name", help="The name shown to people; '' for none.")
@click.option("-e", "--email", help="The e-mail address, by which policies then name the user; '' for none.")
@click.option("-p", "--picture-url", help="The URL of a picture; '' for none.")
def describe(identifier: str | None, name: str, **given: str | None) -> None:
    """Set what is shown of a user."""
    names = {"display_name": "displayName", "email": "email", "picture_url": "pictureUrl"}
    body = {names[option]: value for option, value in given.items() if value is not None}
    if not body:
        raise click.UsageError("say what to set: give --display-name, --email or --picture-url")
    show(ask("PUT", f"/user/{_one(identifier, name)['id']}", body)["user"], "User updated")


@command.verb("role")
@click.argument("role", type=click.Choice(ROLES))
@identifier(required=False)
@click.option("-n", "--name", default="", help="The user's name.")
def set_role(role: str, identifier: str | None, name: str) -> None:
    """Set what a user may administer. There is one owner: who was it before is an admin then."""
    user = _one(identifier, name)
    if role == "owner":
        confirm(f"Make {user['name']!r} ({user['id']}) the owner in place of whoever is?", "Role not set")
    show(ask("POST", f"/user/{user['id']}/role", {"role": role})["user"], "Role set")


@command.verb("suspend")
@identifier(required=False)
@click.option("-n", "--name", default="", help="The user's name.")
@click.option("-r", "--reason", default="", help="Why; whoever tries to log in is told.")
def suspend(identifier: str | None, name: str, reason: str) -> None:
    """Shut a user out: their nodes have to log in, and may not."""
    user = _one(identifier, name)
    confirm(f"Shut {user['name']!r} ({user['id']}) and their nodes out?", "User not suspended")
    show(ask("POST", f"/user/{user['id']}/suspend", {"reason": reason})["user"], "User suspended")


@command.verb("restore")
@identifier(required=False)
@click.option("-n", "--name", default="", help="The user's name.")
def restore(identifier: str | None, name: str) -> None:
    """Let a suspended user log in again, as their nodes have to."""
    user = _one(identifier, name)
    show(ask("POST", f"/user/{user['id']}/restore")["user"], "User restored")


def _row(user: dict[str, Any]) -> list[str]:
    role = ", ".join(filter(None, (user.get("role", "member"), user.get("status"))))
    return [user["id"], user["displayName"], user["name"], user["email"], role, minute(user["createdAt"])]


def _one(number: str | None, name: str) -> dict[str, Any]:
    """The user meant by an id, a name, or both."""
    if not number and not name:
        raise click.UsageError("say which user: give --identifier or --name")
    users = ask("GET", "/user", **({"name": name} if name else {"id": number or ""}))["users"]
    found: list[dict[str, Any]] = [user for user in users if number in (None, user["id"])]
    if not found:
        raise Failure(f"no user has {f'the name {name!r}' if name else f'the id {number}'}: see `hatsize users list`")
    return found[0]
