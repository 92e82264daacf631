"""Where settings come from: a TOML file, `HATSIZE_…` variables, flags; the later wins, key by key."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr

from hatsize.server.settings_problems import SettingProblem, SettingsError

PREFIX = "HATSIZE_"
RESERVED = frozenset({
    "HATSIZE_CONFIG", "HATSIZE_API_KEY", "HATSIZE_SERVER_CA", "HATSIZE_SERVER_PIN", "HATSIZE_SERVER_INSECURE",
})  # fmt: skip
"""Variables of the command line that are no settings."""


@dataclass(slots=True)
class Given:
    """Settings as they were given: a tree of tables, and where each key's value came from."""

    tree: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)

    def put(self, path: str, value: Any, source: str) -> None:
        """Set one key by its dotted path, over what was there."""
        *tables, key = path.split(".")
        table = self.tree
        for name in tables:
            inner = table.setdefault(name, {})
            if not isinstance(inner, dict):
                inner = table[name] = {}
            table = inner
        table[key] = value
        self.sources[path] = source

    def put_tree(self, tree: Mapping[str, Any], source: str, above: str = "") -> None:
        """Set every key of a tree of tables; one by domains, with dots in its keys, is a value as a whole."""
        for key, value in tree.items():
            path = f"{above}{key}"
            if isinstance(value, dict) and value and not any("." in inner for inner in value):
                self.put_tree(value, source, f"{path}.")
            elif "." not in key:
                self.put(path, value, source)


def keys_of(model: type[BaseModel], above: str = "") -> dict[str, bool]:
    """The dotted path of every key of a model of sections, and whether its value is a secret."""
    keys: dict[str, bool] = {}
    for name, info in model.model_fields.items():
        path = above + (info.alias or name)
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            keys |= keys_of(info.annotation, f"{path}.")
        else:
            keys[path] = SecretStr in (info.annotation, *get_args(info.annotation))
    return keys


def variables(model: type[BaseModel], prefix: str = PREFIX) -> dict[str, str]:
    """The variable of every key: `HATSIZE_DNS_BASE_DOMAIN` is `dns.base_domain`."""
    return {prefix + path.replace(".", "_").upper(): path for path in keys_of(model)}


def read_file(given: Given, path: Path) -> None:
    """Take a TOML file's settings; raises SettingsError when it cannot be read."""
    try:
        with path.open("rb") as file:
            tree = tomllib.load(file)
    except OSError as error:
        raise _refused("config", path, f"cannot be read: {error.strerror}; give the path of a TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _refused("config", path, f"is not TOML: {error}") from error
    given.put_tree(tree, path.name)


def read_environment(given: Given, environ: Mapping[str, str], model: type[BaseModel], prefix: str = PREFIX) -> None:
    """Take the settings that have a variable."""
    for variable, path in variables(model, prefix).items():
        if variable in environ:
            given.put(path, environ[variable], variable)


def unknown_variables(environ: Mapping[str, str], model: type[BaseModel]) -> list[str]:
    """Variables that look like settings and are none. A warning, no error: Kubernetes makes such names for services."""
    known = variables(model).keys() | RESERVED
    return sorted(
        name
        for name in environ
        if name.startswith(PREFIX) and name not in known and not name.startswith(f"{PREFIX}PLUGINS_")
    )


def _refused(key: str, path: Path, text: str) -> SettingsError:
    return SettingsError([SettingProblem(key, f'"{path}"', text, "")])
