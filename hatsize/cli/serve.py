"""`hatsize serve`: running the server."""

import click

from hatsize.cli.nouns import Verb


@click.command("serve", cls=Verb)
@click.option("--listen", help="The address and port to listen on, as 0.0.0.0:8080 or [::]:8080.")
@click.option("--server-url", help="What clients reach this server by, as https://hatsize.example.com.")
def command(listen: str | None, server_url: str | None) -> None:
    """Run the server until it is told to stop."""
    from hatsize.cli.configured import configured
    from hatsize.server.serve import run

    flags = {"listen": listen, "server_url": server_url}
    run(configured({path: value for path, value in flags.items() if value is not None}))
