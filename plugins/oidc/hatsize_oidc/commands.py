"""`hatsize oidc`: what the providers say of themselves, before anybody is sent to them."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import anyio
import click

from hatsize_oidc.failures import LoginFailure

if TYPE_CHECKING:
    from hatsize_oidc.provider import OidcProvider


def oidc(providers: "Callable[[], Mapping[str, OidcProvider]]") -> click.Group:
    """The commands of the plugin with these providers."""

    @click.group("oidc")
    def group() -> None:
        """Ask the identity providers that people log in with."""

    @group.command("check")
    @click.argument("name", required=False)
    def check(name: str | None) -> None:
        """Ask every provider, or that of NAME, for its metadata and keys."""
        chosen = [provider for provider in providers().values() if name in (None, provider.name)]
        if not chosen:
            raise click.ClickException(f"no provider {name!r} is set" if name else "no providers are set")
        answering = [_ask(provider) for provider in chosen]
        if not all(answering):
            raise SystemExit(1)

    return group


def _ask(provider: "OidcProvider") -> bool:
    """Say what one provider answers; whether it can be used."""
    try:
        facts = anyio.run(provider.look)
    except LoginFailure as failure:
        click.echo(f"{provider.name}: {failure}", err=True)
        return False
    click.echo(f"{provider.name}: answers")
    for name, value in facts.items():
        click.echo(f"  {name:<18}{value}")
    return True
