"""What a plugin may supply and hear. Contracts, and the machinery that holds plugins to them.

There are two families:

- *Services*: `hatsize_register_<kind>` hooks are synchronous, called once when the server starts, and return objects of
  a documented interface, each with a `name`. The settings choose among them by name; hot paths call them directly.
- *Events and contributions*: other `hatsize_<thing>` hooks, called through the typed `Plugins` manager, which says how
  their results combine: *First*, *All* or *Chain*. Asynchronous ones have a deadline each (`DEADLINES`).

A plugin is an object or a module that says which version of this interface it was written for, and marks its hooks:

    from hatsize.hooks import hookimpl

    class Plugin:
        hatsize_api = "1.0"

        @hookimpl
        async def hatsize_changed(self, change):
            print(change.kind)

    plugin = Plugin()

It announces itself in the entry-point group `hatsize`, and the settings' `plugins.enabled` put it in use.
"""

import pluggy

PROJECT = "hatsize"
API_VERSION = "1.1"
"""MAJOR.MINOR: the major number is raised when an existing plugin would notice a change, the minor when something is
added. A plugin states the one it was written for as `hatsize_api`; it is taken when the majors are equal and its minor
is not above this one. 1.1 added what plugins keep: `Server.store`, `Setup.stored`, and the events that tell of it."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

__all__ = ["API_VERSION", "PROJECT", "hookimpl", "hookspec"]
