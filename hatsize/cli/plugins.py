"""`hatsize plugins`: what is installed, what each plugin supplies, and making new ones."""

from dataclasses import asdict
from pathlib import Path

import click

from hatsize.cli.failures import Failure
from hatsize.cli.nouns import Noun
from hatsize.cli.output import show, show_table, yes

command = Noun("plugins", help="List, check and make plugins.")


@command.verb("list", "ls")
def list_plugins() -> None:
    """List the plugins that are installed. Those that are enabled are imported, to tell what they supply."""
    from hatsize.cli.configured import configured
    from hatsize.cli.plugin_reports import announced, inspected, supplies
    from hatsize.hooks.discovery import installed

    enabled = configured().plugins.enabled
    reports = [
        inspected(plugin, enabled=True) if name in enabled else announced(plugin, enabled=False)
        for name, plugin in sorted(installed().items())
    ]
    rows = [
        [each.name, each.version, yes(each.enabled), each.problem or ", ".join(supplies(each.hooks)), each.summary]
        for each in reports
    ]
    show_table([asdict(each) for each in reports], ["Name", "Version", "Enabled", "Supplies", "Summary"], rows)


@command.verb("show")
@click.argument("name")
def show_plugin(name: str) -> None:
    """Tell all of one plugin that is installed; it is imported."""
    from hatsize.cli.configured import configured
    from hatsize.cli.plugin_reports import inspected, supplies
    from hatsize.hooks.discovery import find
    from hatsize.hooks.errors import PluginError

    try:
        report = inspected(find(name), enabled=name in configured().plugins.enabled)
    except PluginError as error:
        raise Failure(str(error)) from error
    lines = [
        f"{report.name} {report.version} ({report.distribution}): {report.summary}",
        report.about,
        f"enabled: {yes(report.enabled)}",
        f"problem: {report.problem}" if report.problem else f"supplies: {', '.join(supplies(report.hooks))}",
        *(f"setting: plugins.{report.name}.{key}" for key in report.settings),
    ]
    show(asdict(report), "\n".join(line for line in lines if line))


@command.verb("check")
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path))
def check(path: Path) -> None:
    """Check a plugin's folder before it is published: its metadata, hooks, services and imports."""
    from hatsize.cli.plugin_check import findings

    found = findings(path)
    if found:
        raise Failure("\n".join(found))
    show({"ok": True}, "ok")


@command.verb("new")
@click.argument("name")
@click.option("--in", "above", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Where to.")
def new(name: str, above: Path) -> None:
    """Make a folder `hatsize-NAME` with a plugin that works, and its tests."""
    import re

    from hatsize.cli.plugin_skeleton import write_skeleton

    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise click.UsageError(f"{name!r} is not a plugin's name: give small letters, digits and hyphens, as door-lock")
    written = write_skeleton(name, above)
    folder = above / f"hatsize-{name}"
    then = f"Try it:\n  cd {folder} && pip install -e . pytest && pytest && hatsize plugins check ."
    show({"files": [str(path) for path in written]}, f"Plugin written to {folder}. {then}")
