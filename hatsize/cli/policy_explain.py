"""`hatsize policy explain`: which rule lets a packet through, or why none does."""

from pathlib import Path
from typing import Any

import click

from hatsize.cli.arguments import read_text
from hatsize.cli.failures import Refused
from hatsize.cli.nouns import Verb
from hatsize.cli.output import show
from hatsize.cli.policy_preview import path_type, topology_option
from hatsize.cli.policy_words import refuse
from hatsize.cli.server import ask


@click.command("explain", cls=Verb)
@click.argument("src")
@click.argument("dst", metavar="DST[:PORT]")
@click.option("--proto", default="tcp", show_default=True, help="A protocol's name or number.")
@click.option("-f", "--file", type=path_type, help="A policy in place of the one in force.")
@topology_option
def explain(src: str, dst: str, proto: str, file: Path | None, topology: Path | None) -> None:
    """Tell which rules let SRC reach DST, and at which lines, or why none does.

    Both are the name of a node, an address, a user, a tag, a group or a host of the policy. The port is 443 where none
    is given.
    """
    if topology and not file:
        raise click.UsageError("--topology needs a policy: name one with -f")
    text = read_text(file) if file else None
    try:
        if text is not None and topology:
            from hatsize.cli.policy_offline import explained

            answer = explained(text, topology, src, dst, proto)
        else:
            asked = {"src": src, "dst": dst, "proto": proto, **({"policy": text} if text is not None else {})}
            answer = ask("POST", "/policy/explain", asked)
    except Refused as refused:
        refuse(refused, text or "")
    show(answer, "\n".join(_told(answer, src, f"{dst} ({proto})")))


def _told(answer: Any, src: str, dst: str) -> list[str]:
    reasons = [
        f"  {each['src']} to {each['dst']}: {_rule(each['rule'], each['line'])} opens {each['opens']}"
        for each in answer["reasons"]
    ]
    verdict = "reaches" if answer["allowed"] else "does not always reach" if reasons else "does not reach"
    return [f"{src} {verdict} {dst}", *reasons, *(f"  {sentence}" for sentence in answer["missing"])]


def _rule(path: str, line: int) -> str:
    return f"{path} at line {line}" if line else "the default, there being neither acls nor grants,"
