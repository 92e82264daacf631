"""The page `docs/settings.md`, written from the model: `python -m hatsize.server.settings_reference`."""

import ast
import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Le
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from hatsize.server import settings_types as types
from hatsize.server.settings import Settings
from hatsize.server.settings_changes import AT_START
from hatsize.server.settings_sources import PREFIX

WORDS: dict[Any, str] = {
    bool: "true or false",
    int: "whole number",
    str: "text",
    Path: "path",
    types.Text: "list of texts",
    types.Paths: "list of paths",
    types.Listen: "address:port",
    types.Listens: "list of address:port",
    types.Duration: "duration",
    types.Table: "table of lists",
    types.ServerUrl: "URL",
    types.Domain: "domain",
    types.Domains: "list of domains",
    types.V4Prefix: "prefix",
    types.V6Prefix: "prefix",
    types.Proxies: "list of prefixes",
    types.FileMode: "octal digits",
}
"""What the types are called."""

HEAD = """\
# Settings

Written from the model by `python -m hatsize.server.settings_reference`; a test holds the two in step.

A setting comes from a flag of `hatsize serve`, else from its `HATSIZE_…` variable, else from the TOML file that `-c` or
`HATSIZE_CONFIG` names, else it has its default. `hatsize configtest` checks all of them, `hatsize dumpConfig` shows
what came of them. Durations are written `90d`, `1h30m` or `0`, with the units y, w, d, h, m, s and ms. A list in a
variable is written with commas between, or as JSON; a table as JSON.

A running server reads its file and variables again when it is sent SIGHUP. When something is wrong then, the log says
what, and everything stays as it was. Settings marked *start* take effect at the next start only. The files of the
certificate, the policy and the DNS records are watched, and read again when they change.
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it is documented."""

    path: str
    """In TOML, with dots between the tables."""
    type: str
    default: str
    text: str

    @property
    def variable(self) -> str:
        return PREFIX + self.path.replace(".", "_").upper()

    @property
    def waits(self) -> bool:
        """Whether a running server does not take it up."""
        return any(f"{self.path}.".startswith(f"{path}.") for path in AT_START)


def settings_of(model: type[BaseModel], defaults: Mapping[str, Any], above: str = "") -> Iterator[Setting]:
    """Every setting of a model of sections, in its order; `defaults` as the model dumps them."""
    texts, hints = _docstrings(model), get_type_hints(model, include_extras=True)
    for name, info in model.model_fields.items():
        key = info.alias or name
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from settings_of(info.annotation, defaults[key], f"{above}{key}.")
        else:
            yield Setting(above + key, _type(hints[name], info), _shown(defaults[key]), texts.get(name, ""))


def page() -> str:
    """The whole page."""
    defaults = Settings.model_construct(data_dir=Path("/var/lib/hatsize")).model_dump(mode="json", by_alias=True)
    sections: dict[str, list[str]] = {}
    for setting in settings_of(Settings, defaults):
        told = f"{setting.type}, {setting.default}"
        mark = ", *start*" if setting.waits else ""
        line = f"- `{setting.path}` (`{setting.variable}`): {told}{mark}. {' '.join(setting.text.split())}"
        sections.setdefault(setting.path.rpartition(".")[0], []).append(line)
    return HEAD + "".join(
        f"\n## {f'[{name}]' if name else 'At the top'}\n\n" + "\n".join(lines) + "\n"
        for name, lines in sections.items()
    )


def _docstrings(model: type[BaseModel]) -> dict[str, str]:
    """The texts under a model's fields, as they stand in its source."""
    (body,) = ast.parse(inspect.getsource(model)).body
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    for field, below in zip(body.body, body.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = text
    return found


def _type(hint: Any, info: FieldInfo) -> str:
    bare = _without_none(hint)
    if bare in WORDS:
        bounds = [each for each in info.metadata if isinstance(each, Ge | Le)]
        return WORDS[bare] + "".join(f", {_bound(each)}" for each in bounds)
    if get_origin(bare) is Literal:
        return " or ".join(f"`{value}`" for value in get_args(bare))
    return "secret text" if "Secret" in str(bare) else "list of tables"


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in {Union, UnionType}:
        return next(each for each in get_args(hint) if each is not type(None))
    if get_origin(hint) is Annotated and hint not in WORDS and get_args(hint)[0] in WORDS:
        return get_args(hint)[0]
    return hint


def _bound(bound: Ge | Le) -> str:
    return f"at least {bound.ge}" if isinstance(bound, Ge) else f"at most {bound.le}"


def _shown(default: Any) -> str:
    if default is None or default in ("", [], {}):
        return "empty"
    return f"`{default}`" if isinstance(default, str) else f"`{json.dumps(default)}`"


def main() -> None:
    """Print the page."""
    sys.stdout.write(page())


if __name__ == "__main__":
    main()
