"""`hatsize serve`: running the server."""

import logging
from collections.abc import Iterator

import click

from hatsize.cli.failures import Failure, WrongSettings
from hatsize.cli.invocation import invocation
from hatsize.cli.nouns import Verb


@click.command("serve", cls=Verb)
@click.option("--listen", help="The address and port to listen on, as 0.0.0.0:8080 or [::]:8080.")
@click.option("--server-url", help="What clients reach this server by, as https://hatsize.example.com.")
@click.option("--derp-process", is_flag=True, default=None, help="Relay in a process of its own, on the next port.")
def command(listen: str | None, server_url: str | None, derp_process: bool | None) -> None:
    """Run the server until it is told to stop."""
    from hatsize.cli.configured import configured, read_settings, warn_of_unknown_variables
    from hatsize.hooks.errors import PluginError
    from hatsize.server.serve import run
    from hatsize.server.settings import SettingsError

    flags = {"listen": listen, "server_url": server_url, "derp.process": derp_process}
    given, invoked = {path: value for path, value in flags.items() if value is not None}, invocation()
    settings = configured(given)
    warn_of_unknown_variables()
    try:
        run(settings, lambda: read_settings(given, invoked))
    except (PluginError, SettingsError) as error:
        raise WrongSettings(str(error)) from None
    except Exception as error:  # noqa: BLE001 - each one is told in words, or logged and told by its id
        raise Failure("; ".join(map(_told, _single(error)))) from None


def _single(error: BaseException) -> Iterator[BaseException]:
    """The errors of a group, however deep, or the one it is."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _single(inner)
    else:
        yield error


def _told(error: BaseException) -> str:
    """An error in words; one that nobody expected is logged, and told by its id."""
    from hatsize.hooks.storage import StorageError
    from hatsize.server.logs import log_bug

    if isinstance(error, StorageError):
        return str(error)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"the server cannot run: {where}{error.strerror or error}"
    bug = log_bug(logging.getLogger("hatsize.server"), "running the server", error)
    return f"an error of the server's own ended it: look for bug={bug} in its log"
