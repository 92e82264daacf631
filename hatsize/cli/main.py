"""The `hatsize` command."""

import sys

import click

from hatsize.cli.failures import Failure, show_failure
from hatsize.cli.nouns import Entry, Root

ENTRIES = {
    "serve": Entry("hatsize.cli.serve", "Run the server."),
    "derp": Entry("hatsize.cli.derp", "Run a relay on its own, or show how relays are."),
    "users": Entry("hatsize.cli.users", "Manage users.", ("user",)),
    "nodes": Entry("hatsize.cli.nodes", "Manage nodes.", ("node",)),
    "preauthkeys": Entry(
        "hatsize.cli.preauthkeys", "Manage auth keys, by which nodes join.", ("preauthkey", "authkey", "pre")
    ),
    "apikeys": Entry("hatsize.cli.apikeys", "Manage API keys, by which programs administer.", ("apikey", "api")),
    "oauth-clients": Entry(
        "hatsize.cli.oauth_clients",
        "Manage OAuth clients, by which programs get tokens for API v2.",
        ("oauth-client", "oauthclients", "oauthclient", "oauth"),
    ),
    "auth": Entry("hatsize.cli.auth", "Decide on machines and checks that wait for approval."),
    "policy": Entry("hatsize.cli.policy", "Show, check and save the policy."),
    "db": Entry("hatsize.cli.db", "Look after the database: status, backups, moving it.", ("database",)),
    "dns": Entry("hatsize.cli.dns", "Set resolvers, search domains, MagicDNS and records."),
    "messages": Entry("hatsize.cli.messages", "Show messages to the people at the machines.", ("message",)),
    "import": Entry("hatsize.cli.import_noun", "Move over from another server."),
    "plugins": Entry("hatsize.cli.plugins", "List, check and make plugins.", ("plugin",)),
    "health": Entry("hatsize.cli.health", "Ask the server whether it is well."),
    "version": Entry("hatsize.cli.version", "Print the version."),
    "configtest": Entry("hatsize.cli.configtest", "Check the settings, and tell all that is wrong with them."),
    "generate": Entry("hatsize.cli.generate", "Make keys.", ("gen",)),
    "completion": Entry("hatsize.cli.completion", "Print the completion script of a shell."),
    "debug": Entry("hatsize.cli.debug", "Help with tests and with finding errors."),
    "dumpConfig": Entry("hatsize.cli.dumpconfig", "Print the settings in force.", hidden=True),
}

command = Root(
    ENTRIES,
    name="hatsize",
    help="Hatsize, a control server for Tailscale clients.",
    epilog="Plugins that are enabled add commands of their own: their READMEs name them.",
)


def main() -> None:
    """Carry out the command line and exit: 0 when it was done, 1 when it was refused, 2 for a wrong line or setting."""
    try:
        code = command.main(prog_name="hatsize", standalone_mode=False)
    except click.ClickException as error:
        show_failure(error)
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except BrokenPipeError:
        sys.stderr.close()
        code = 1
    except OSError as error:
        show_failure(Failure(f"{error.filename or 'the system'}: {error.strerror or error}"))
        code = 1
    sys.exit(code if isinstance(code, int) else 0)
