"""Every hook there is, by the areas they belong to."""

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

from hatsize.hooks import auth, dns, events, ipam, lifecycle, metrics, policy, replicas, storage

AREAS: tuple[ModuleType, ...] = (auth, ipam, dns, policy, storage, replicas, events, lifecycle, metrics)


def hooks_of(area: ModuleType) -> dict[str, Callable[..., Any]]:
    """The functions that specify an area's hooks, by name, in the order they are written in."""
    found = {name: function for name, function in vars(area).items() if name.startswith("hatsize_")}
    return dict(sorted(found.items(), key=lambda item: inspect.getsourcelines(item[1])[1]))


def all_hooks() -> set[str]:
    """The names of all hooks."""
    return {name for area in AREAS for name in vars(area) if name.startswith("hatsize_")}
