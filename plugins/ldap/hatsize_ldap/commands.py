"""`hatsize ldap`: what the directory answers, before anybody is sent to it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from hatsize_ldap.errors import DirectoryError
from hatsize_ldap.settings import Settings

if TYPE_CHECKING:
    from hatsize_ldap.directory import Directory
    from hatsize_ldap.people import Person


def ldap(settings: Callable[[], Settings]) -> click.Group:
    """The commands of the plugin with these settings."""

    @click.group("ldap")
    def group() -> None:
        """Ask the directory that passwords are checked against."""

    @group.command("check")
    @click.argument("username", required=False)
    @click.option("--password", is_flag=True, help="Ask for the user's password, and whether it is right.")
    def check(username: str | None, password: bool) -> None:
        """Ask every server, and show what the directory has of USERNAME."""
        from hatsize_ldap.directory import Directory  # noqa: PLC0415 - ldap3 takes its time to import

        if not settings().servers:
            raise click.ClickException("no servers are set: give plugins.ldap.servers")
        directory = Directory(settings())
        answering = [_ask(directory, settings(), str(address)) for address in directory.servers.addresses]
        if username:
            typed = click.prompt("Password", hide_input=True) if password else ""
            _show(directory, username, typed)
        if not all(answering):
            raise SystemExit(1)

    return group


def _ask(directory: "Directory", settings: Settings, address: str) -> bool:
    """Say what one server answers; whether it can be used."""
    from hatsize_ldap.servers import Servers  # noqa: PLC0415

    try:
        only = Servers(settings.model_copy(update={"servers": (address,)}))
        skipped = only.ask(directory.look)
    except DirectoryError as error:
        click.echo(str(error), err=True)
        return False
    click.echo(f"{address}: answers")
    for url in skipped:
        click.echo(f"  not followed: {url}")
    return True


def _show(directory: "Directory", username: str, password: str) -> None:
    from hatsize_ldap.directory import Refusal  # noqa: PLC0415

    now = datetime.now(UTC)
    try:
        found = directory.authenticate(username, password, now) if password else directory.find(username, now)
    except DirectoryError as error:
        raise click.ClickException(str(error)) from None
    if isinstance(found, Refusal):
        raise click.ClickException(found.words)
    if found is None:
        words = "the name or the password is wrong" if password else f"there is no user {username!r}"
        raise click.ClickException(words)
    for label, value in _lines(found):
        click.echo(f"{label:14}{value}")


def _lines(person: "Person") -> list[tuple[str, str]]:
    return [
        ("DN", person.dn),
        ("Name", person.name),
        ("E-mail", person.email or "-"),
        ("Display name", person.display_name or "-"),
        ("Identifier", person.subject),
        ("Groups", " ".join(person.groups) or "-"),
        ("May log in", f"no: {person.why_not}" if person.why_not else "yes"),
    ]
