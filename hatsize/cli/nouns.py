"""Nouns and verbs: click's groups and commands with aliases and the common options, imported when they are used."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click

from hatsize.cli.invocation import common_options

HELP_NAMES = {"help_option_names": ["-h", "--help"]}


class Verb(click.Command):
    """A command that takes the common options too."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        keywords.setdefault("context_settings", HELP_NAMES)
        super().__init__(*arguments, **keywords)
        self.params.extend(common_options())


class Noun(click.Group):
    """A group of verbs, each of which may have aliases."""

    command_class = Verb

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        keywords.setdefault("context_settings", HELP_NAMES)
        super().__init__(*arguments, **keywords)
        self.params.extend(common_options())
        self.aliases: dict[str, str] = {}

    def verb(self, name: str, *aliases: str, **keywords: Any) -> Callable[[Callable[..., Any]], click.Command]:
        """Make a function a verb; its docstring is the help."""

        def added(function: Callable[..., Any]) -> click.Command:
            self.aliases.update(dict.fromkeys(aliases, name))
            command: click.Command = self.command(name, **keywords)(function)
            if aliases:
                command.epilog = f"Also: {', '.join(aliases)}."
            return command

        return added

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, self.aliases.get(cmd_name, cmd_name))


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command of the top level is, and what is said of it without importing it."""

    module: str
    help: str
    aliases: tuple[str, ...] = ()
    hidden: bool = False


class Root(Noun):
    """The top level. A command's module is imported when the command is used, and has it under the name `command`."""

    def __init__(self, entries: Mapping[str, Entry], **keywords: Any) -> None:
        super().__init__(**keywords)
        self.entries = entries
        for name, entry in entries.items():
            self.aliases.update(dict.fromkeys(entry.aliases, name))

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return [name for name, entry in self.entries.items() if not entry.hidden]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        name = self.aliases.get(cmd_name, cmd_name)
        if name not in self.entries:
            return _of_plugins(cmd_name)
        command: click.Command = import_module(self.entries[name].module).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.entries[name].help) for name in self.list_commands(ctx)])


def _of_plugins(name: str) -> click.Command | None:
    """The command of that name that an enabled plugin supplies."""
    from hatsize.cli.plugin_commands import plugin_command

    return plugin_command(name)
