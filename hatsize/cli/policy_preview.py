"""`hatsize policy preview`: what each node would be sent."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from hatsize.cli.arguments import read_text
from hatsize.cli.failures import Refused
from hatsize.cli.invocation import invocation
from hatsize.cli.nouns import Verb
from hatsize.cli.output import formatted
from hatsize.cli.policy_words import refuse
from hatsize.cli.server import ask

path_type = click.Path(path_type=Path)
file_option = click.option(
    "-f", "--file", type=path_type, required=True, help="A policy in HuJSON; - for standard input."
)
topology_option = click.option(
    "--topology", type=path_type, help="A tailnet in JSON, with users and nodes, in place of the running one."
)


@click.command("preview", cls=Verb)
@file_option
@topology_option
@click.option("--node", "names", multiple=True, help="Show this node alone; may be given several times.")
def preview(file: Path, topology: Path | None, names: Sequence[str]) -> None:
    """Show what each node would be sent under a policy.

    Of the running tailnet people are shown what would be other than now.
    """
    text = read_text(file)
    output = invocation().output
    former: Any = None
    try:
        if topology:
            from hatsize.cli.policy_offline import previewed

            nodes = previewed(text, topology, names)
        else:
            of = {"nodes": list(names)} if names else {}
            nodes = ask("POST", "/policy/preview", {"policy": text, **of})["nodes"]
            former = None if output else ask("POST", "/policy/preview", of)["nodes"]
    except Refused as refused:
        refuse(refused, text)
    if output:
        click.echo(formatted(nodes, output))
        return
    from hatsize.cli.policy_summary import difference, summary

    lines = summary(nodes) if former is None else difference(former, nodes)
    click.echo("\n".join(lines))
