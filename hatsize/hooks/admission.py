"""Whether an object can be taken as a plugin: checked before the server starts, and said in words."""

import inspect
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from hatsize.hooks import API_VERSION
from hatsize.hooks.errors import PluginError


def check_version(plugin: object, name: str) -> None:
    """Raise PluginError unless the plugin was written for this version of the hook interface."""
    stated = getattr(plugin, "hatsize_api", None)
    if stated is None:
        mend = f'add `hatsize_api = "{API_VERSION}"` to it'
        raise PluginError(f"plugin {name!r} does not say which hook interface it was written for: {mend}")
    try:
        major, minor = map(int, str(stated).split("."))
    except ValueError:
        text = f"states the hook interface {stated!r}; the form is MAJOR.MINOR, as {API_VERSION!r}"
        raise PluginError(f"plugin {name!r} {text}") from None
    our_major, our_minor = map(int, API_VERSION.split("."))
    if (major, minor) > (our_major, our_minor):
        raise PluginError(_mismatch(name, stated, "update hatsize"))
    if major < our_major:
        raise PluginError(_mismatch(name, stated, "update the plugin"))


def check_shape(plugin: object, name: str) -> None:
    """Raise PluginError for what is not an object with marked hooks."""
    if inspect.isclass(plugin):
        raise PluginError(f"plugin {name!r} is a class: let its entry point name an object of it, or a module")
    if not any(_marked(plugin)):
        raise PluginError(f"plugin {name!r} marks no function with @hookimpl, so it would do nothing")


def check_implementation(implementation: Any, specification: Any, name: str) -> None:
    """Raise PluginError for a hook that is written in a way that could not be called."""
    hook = specification.name
    asynchronous = inspect.iscoroutinefunction(specification.function)
    if inspect.iscoroutinefunction(implementation.function) != asynchronous:
        form = "must be `async def`" if asynchronous else "must not be `async def`"
        raise PluginError(f"plugin {name!r} cannot be used: {hook} {form}")
    if implementation.wrapper or implementation.hookwrapper or implementation.tryfirst or implementation.trylast:
        text = "must be marked with a bare @hookimpl: the order is that of the settings, and nothing wraps a hook"
        raise PluginError(f"plugin {name!r} cannot be used: {hook} {text}")


def unknown_hooks(plugin: object, known: set[str]) -> list[str]:
    """The plugin's marked functions that are no hooks, each with the nearest one that is."""
    told = []
    for hook in _marked(plugin):
        if hook not in known:
            near = get_close_matches(hook, known, n=1, cutoff=0.6)
            told.append(f"{hook} is not a hook" + (f"; did you mean {near[0]}?" if near else ""))
    return told


def _marked(plugin: object) -> Iterator[str]:
    """The names of the functions that are marked as hooks."""
    for attribute in dir(plugin):
        marks = getattr(inspect.getattr_static(plugin, attribute), "hatsize_impl", None)
        if marks is not None:
            yield marks.get("specname") or attribute


def _mismatch(name: str, stated: object, mend: str) -> str:
    return (
        f"plugin {name!r} was written for version {stated} of the hook interface, and this server has {API_VERSION}: "
        f"{mend}"
    )
