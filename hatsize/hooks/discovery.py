"""Finding plugins that are installed, and loading those the settings enable."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points

from pydantic import BaseModel

from hatsize.hooks.admission import check_shape, check_version
from hatsize.hooks.errors import PluginError
from hatsize.hooks.ledger import describe
from hatsize.hooks.services import failed

GROUP = "hatsize"
"""The entry-point group in which plugins announce themselves."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A plugin that some distribution announces; nothing of it has been imported yet."""

    name: str
    distribution: str
    version: str
    summary: str
    entry: EntryPoint

    def load(self) -> object:
        """Import the plugin and check that it can be one; PluginError says what is wrong with it."""
        try:
            plugin: object = self.entry.load()
        except (Exception, SystemExit) as error:
            raise PluginError(f"plugin {self.name!r} cannot be loaded: {describe(error)}") from error
        check_shape(plugin, self.name)
        check_version(plugin, self.name)
        return plugin


def installed() -> Mapping[str, Installed]:
    """Every plugin that is installed, by name; PluginError when two distributions announce one name."""
    found: dict[str, Installed] = {}
    for entry in entry_points(group=GROUP):
        dist = entry.dist
        assert dist is not None, "entry points of installed distributions have one"
        summary = str(dist.metadata.json.get("summary", ""))
        here = Installed(entry.name, dist.name, dist.version, summary, entry)
        there = found.setdefault(entry.name, here)
        if there.distribution != here.distribution:
            both = f"{there.distribution} and {here.distribution}"
            raise PluginError(f"two plugins are named {entry.name!r}, of {both}: uninstall one")
    return found


def find(name: str) -> Installed:
    """The installed plugin with a name; PluginError that lists the names there are."""
    there = installed()
    if name in there:
        return there[name]
    near = get_close_matches(name, there, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "install it with pip, or take it out of plugins.enabled"
    raise PluginError(f"plugin {name!r} is not installed; installed are: {', '.join(sorted(there)) or 'none'}; {hint}")


def settings_model(plugin: object, name: str) -> type[BaseModel] | None:
    """The model of a plugin's settings; None where it has none."""
    function = getattr(plugin, "hatsize_settings", None)
    if function is None:
        return None
    try:
        model = function()
    except Exception as error:
        raise failed(name, "hatsize_settings", error) from error
    if not (inspect.isclass(model) and issubclass(model, BaseModel)):
        raise PluginError(f"plugin {name!r}: hatsize_settings must return a pydantic model, not {model!r}")
    return model
