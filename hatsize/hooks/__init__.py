"""What a plugin may supply and hear. Contracts, no behaviour.

There are two families (see `docs/architecture.md`):

- *Services*: `hatsize_register_<kind>` hooks are synchronous, called once when the server starts, and return objects
of a
  documented interface, each with a `name`. The settings choose among them by name; hot paths call them directly.
- *Events and contributions*: other `hatsize_<thing>` hooks, asynchronous unless they say otherwise, called through the
  typed `Plugins` manager, which says how their results combine.

A plugin module needs one import: `from hatsize.hooks import hookimpl`.
"""

import pluggy

PROJECT = "hatsize"
API_VERSION = 1
"""Raised when a hook changes in a way that an existing plugin would notice; a plugin may name the one it was written
for."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

__all__ = ["API_VERSION", "PROJECT", "hookimpl", "hookspec"]
