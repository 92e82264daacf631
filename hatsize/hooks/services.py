"""Asking plugins for their services, once, and holding what they supply to its interface."""

from collections.abc import Sequence
from typing import Any

from hatsize.hooks.errors import PluginError
from hatsize.hooks.kinds import KINDS, members
from hatsize.hooks.ledger import describe


def flattened(result: Any) -> Sequence[Any]:
    """A hook's result, None, one thing or a sequence of things, as a sequence."""
    if result is None:
        return ()
    return result if isinstance(result, list | tuple) else (result,)


def check_service(service: Any, kind: str, plugin: str) -> None:
    """Raise PluginError unless the object has all that services of its kind have."""
    missing = [name for name in members(KINDS[kind]) if not hasattr(service, name)]
    if missing:
        what = f"the {spoken(kind)} that plugin {plugin!r} supplies"
        raise PluginError(f"{what} lacks {', '.join(missing)}: see {KINDS[kind].__module__}.{KINDS[kind].__name__}")


def check_names(services: Sequence[tuple[str, Any]], kind: str) -> None:
    """Raise PluginError where two services, of these plugins, have one name."""
    owners: dict[str, str] = {}
    for plugin, service in services:
        former = owners.get(service.name)
        if former:
            both = f"{former!r} and {plugin!r}" if former != plugin else f"{plugin!r}, twice"
            raise PluginError(f"the {spoken(kind)} {service.name!r} is supplied by {both}: rename or disable one")
        owners[service.name] = plugin


def failed(plugin: str, hook: str, error: BaseException) -> PluginError:
    """The error of a plugin that raised while the server was put together."""
    if isinstance(error, PluginError):
        return error
    return PluginError(f"plugin {plugin!r} failed in {hook}: {describe(error)}")


def spoken(kind: str) -> str:
    """A kind in words: `IP allocator`."""
    return kind.replace("_", " ").replace("ip ", "IP ").replace("dns ", "DNS ")
