"""`hatsize dns`: what clients resolve, and with which resolvers. All of it changes while the server runs."""

from collections.abc import Sequence
from typing import Any

import click

from hatsize.cli.dns_records import records
from hatsize.cli.nouns import Noun
from hatsize.cli.output import show, show_table
from hatsize.cli.policy_words import warn
from hatsize.cli.server import ask, part

command = Noun("dns", help="Set resolvers, search domains, MagicDNS and records.")
LABELS = {
    "magicDns": "MagicDNS",
    "overrideLocalDns": "Override local DNS",
    "nameservers": "Nameservers",
    "split": "Split DNS",
    "searchDomains": "Search domains",
}
SWITCH = click.Choice(["on", "off", "reset"])
RESET = "Go back to what the settings say."


@command.verb("show", "list", "ls", "get")
def show_dns() -> None:
    """Print the DNS settings in force, and where each comes from."""
    found = ask("GET", "/dns")
    warn(found.get("warnings", ()))
    rows = [
        [label, _words(found["dns"][name]), "set at run time" if name in found["changed"] else "settings"]
        for name, label in LABELS.items()
    ]
    show_table(found, ["Setting", "Value", "From"], [["Base domain", found["baseDomain"], "settings"], *rows])


@command.verb("magic")
@click.argument("switch", type=SWITCH)
def magic(switch: str) -> None:
    """Turn MagicDNS on or off: whether clients resolve the names of nodes."""
    _update("magicDns", _position(switch), "MagicDNS updated")


@command.verb("override")
@click.argument("switch", type=SWITCH)
def override(switch: str) -> None:
    """Say whether the nameservers are asked in place of those a machine has."""
    _update("overrideLocalDns", _position(switch), "Override updated")


nameservers = Noun("nameservers", help="Set the resolvers for everything.")
command.add_command(nameservers)


@nameservers.verb("set")
@click.argument("resolvers", nargs=-1, required=True, metavar="RESOLVER...")
@click.option("--override/--no-override", default=None, help="Whether they are asked in place of a machine's own.")
def set_nameservers(resolvers: Sequence[str], override: bool | None) -> None:
    """Ask these resolvers: addresses, with a port as 10.0.0.53:5353, or URLs of DNS over HTTPS."""
    body: dict[str, Any] = {"nameservers": list(resolvers)}
    if override is not None:
        body["overrideLocalDns"] = override
    _changed(ask("PATCH", "/dns", body), "Nameservers updated")


@nameservers.verb("clear")
def clear_nameservers() -> None:
    """Have none, and leave machines their own."""
    _changed(ask("PATCH", "/dns", {"nameservers": [], "overrideLocalDns": False}), "Nameservers cleared")


@nameservers.verb("reset", help=RESET)
def reset_nameservers() -> None:
    _changed(ask("PATCH", "/dns", {"nameservers": None, "overrideLocalDns": None}), "Nameservers updated")


split = Noun("split", help="Set the resolvers of single domains.")
command.add_command(split)


@split.verb("list", "ls", "show")
def list_split() -> None:
    """List the domains that have resolvers of their own."""
    found = ask("GET", "/dns")["dns"]["split"]
    rows = [[domain, "\n".join(resolvers) or "records alone"] for domain, resolvers in found.items()]
    show_table(found, ["Domain", "Resolvers"], rows)


@split.verb("set")
@click.argument("domain")
@click.argument("resolvers", nargs=-1, required=True, metavar="RESOLVER...")
def set_split(domain: str, resolvers: Sequence[str]) -> None:
    """Ask these resolvers for DOMAIN and all below it."""
    _changed(ask("PUT", f"/dns/split/{part(domain)}", {"nameservers": list(resolvers)}), "Split DNS updated")


@split.verb("remove", "delete", "rm", "del")
@click.argument("domain")
def remove_split(domain: str) -> None:
    """Ask for DOMAIN as for any other."""
    _changed(ask("DELETE", f"/dns/split/{part(domain)}"), "Split DNS updated")


@split.verb("reset", help=RESET)
def reset_split() -> None:
    _update("split", None, "Split DNS updated")


search = Noun("search", help="Set the domains that clients try for names without a dot.")
command.add_command(search)


@search.verb("set")
@click.argument("domains", nargs=-1, required=True, metavar="DOMAIN...")
def set_search(domains: Sequence[str]) -> None:
    """Try these domains, after the tailnet's own."""
    _update("searchDomains", list(domains), "Search domains updated")


@search.verb("clear")
def clear_search() -> None:
    """Try the tailnet's own domain alone."""
    _update("searchDomains", [], "Search domains cleared")


@search.verb("reset", help=RESET)
def reset_search() -> None:
    _update("searchDomains", None, "Search domains updated")


command.add_command(records)


def _update(name: str, value: object, sentence: str) -> None:
    _changed(ask("PATCH", "/dns", {name: value}), sentence)


def _changed(answer: dict[str, Any], sentence: str) -> None:
    warn(answer.get("warnings", ()))
    show(answer, sentence)


def _position(switch: str) -> bool | None:
    return {"on": True, "off": False}.get(switch)


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, dict):
        return "\n".join(f"{domain}: {', '.join(resolvers)}" for domain, resolvers in value.items()) or "-"
    return "\n".join(value) or "-"
