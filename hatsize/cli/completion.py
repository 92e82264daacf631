"""`hatsize completion`: the completion script of a shell."""

import click
from click.shell_completion import get_completion_class

from hatsize.cli.nouns import Verb

SHELLS = ("bash", "fish", "zsh")


@click.command("completion", cls=Verb)
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print a shell's completion script: eval "$(hatsize completion bash)" puts it in force."""
    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(click.get_current_context().find_root().command, {}, "hatsize", "_HATSIZE_COMPLETE").source())
