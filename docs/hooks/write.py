"""Writes the reference of the hooks from their signatures and docstrings: `python docs/hooks/write.py`."""  # noqa: INP001

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from hatsize.hooks import API_VERSION
from hatsize.hooks.areas import AREAS
from hatsize.hooks.calls import DEADLINES
from hatsize.hooks.events import VOCABULARY

FOLDER = Path(__file__).parent
Function = ast.FunctionDef | ast.AsyncFunctionDef


def pages() -> dict[str, str]:
    """Every page of the reference by its file's name."""
    return {"README.md": index(), **{f"{name_of(area)}.md": page(area) for area in AREAS}}


def index() -> str:
    """The page that lists all hooks."""
    lines = [
        "# The hooks",
        "",
        f"Version {API_VERSION} of the interface.",
        "What a plugin is, and how to write one: [the tutorial](../plugins/tutorial.md).",
        "",
    ]
    for area in AREAS:
        doc, _ = split(inspect.getdoc(area) or "")
        lines += [f"## [{doc.rstrip('.')}]({name_of(area)}.md)", ""]
        lines += [f"- `{hook.name}`: {first_sentence(hook)}" for hook in hooks(area)] + [""]
    return "\n".join(lines).rstrip() + "\n"


def page(area: ModuleType) -> str:
    """The page of an area: its hooks, then the types they speak of."""
    doc, rest = split(inspect.getdoc(area) or "")
    lines = [f"# {doc.rstrip('.')}", "", f"`{area.__name__}`", ""]
    lines += [rest, ""] if rest else []
    for hook in hooks(area):
        lines += [*told_of_hook(hook), ""]
    for each in classes(area):
        lines += [*told_of_class(each), ""]
    if "VOCABULARY" in vars(area):
        lines += ["## The vocabulary of events", "", "| `change.kind` | |", "|---|---|"]
        lines += [f"| `{kind}` | {words} |" for kind, words in VOCABULARY.items()]
    return "\n".join(lines).rstrip() + "\n"


def told_of_hook(hook: Function) -> Iterator[str]:
    """A hook's signature, how it is called, what it is for, and its example."""
    text, _, example = (ast.get_docstring(hook) or "").partition("\n\nExample:\n")
    yield f"## {hook.name}"
    yield ""
    yield from code(signature(hook))
    yield ""
    yield text
    if hook.name in DEADLINES:
        yield ""
        yield f"Asynchronous; each plugin has {DEADLINES[hook.name]:g} seconds for a call."
    if example:
        yield ""
        yield from code(spaced(textwrap.dedent(example).strip("\n")))


def told_of_class(each: ast.ClassDef) -> Iterator[str]:
    """A type, its attributes and methods."""
    yield f"## {each.name}"
    yield ""
    yield ast.get_docstring(each) or ""
    members = list(told_of_members(each))
    if members:
        yield ""
        yield from members


def told_of_members(each: ast.ClassDef) -> Iterator[str]:
    for member, after in zip(each.body, [*each.body[1:], None], strict=True):
        if isinstance(member, ast.AnnAssign) and isinstance(member.target, ast.Name):
            told = after.value.value if is_text(after) else ""
            yield line(ast.unparse(member), str(told))
        elif isinstance(member, Function) and not member.name.startswith("_"):
            is_property = any(ast.unparse(mark) == "property" for mark in member.decorator_list)
            named = (
                f"{member.name}: {ast.unparse(member.returns)}" if is_property and member.returns else signature(member)
            )
            yield line(named, ast.get_docstring(member) or "")


def line(named: str, told: str) -> str:
    """One member in a list."""
    words = " ".join(told.split())
    return f"- `{named}`" + (f": {words}" if words else "")


def signature(function: Function) -> str:
    """`async def name(arguments) -> type`, as it is written, without quotes around types."""
    start = "async def" if isinstance(function, ast.AsyncFunctionDef) else "def"
    returns = f" -> {ast.unparse(function.returns)}" if function.returns else ""
    return f"{start} {function.name}({ast.unparse(function.args)}){returns}".replace("'", "")


def spaced(example: str) -> str:
    """With two empty lines before what stands beside the first function, as the formatter wants it."""
    return re.sub(r"\n\n(?=class |def |async def |@)", "\n\n\n", example)


def code(text: str) -> list[str]:
    return ["```python", *text.splitlines(), "```"]


def hooks(area: ModuleType) -> list[Function]:
    return [node for node in tree(area).body if isinstance(node, Function) and node.name.startswith("hatsize_")]


def classes(area: ModuleType) -> list[ast.ClassDef]:
    return [node for node in tree(area).body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]


def tree(area: ModuleType) -> ast.Module:
    return ast.parse(inspect.getsource(area))


def is_text(node: ast.stmt | None) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def first_sentence(hook: Function) -> str:
    return " ".join((ast.get_docstring(hook) or "").split()).partition(". ")[0].rstrip(".").removesuffix("*") + "."


def split(doc: str) -> tuple[str, str]:
    """The first line of a docstring, and the rest."""
    first, _, rest = doc.partition("\n")
    return first, rest.strip()


def name_of(area: ModuleType) -> str:
    return area.__name__.rpartition(".")[2]


if __name__ == "__main__":
    for name, text in pages().items():
        (FOLDER / name).write_text(text, "utf-8")
