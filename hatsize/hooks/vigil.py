"""Naming a plugin that keeps the server waiting while it still does: nothing else could, as nothing else runs then."""

import logging
import threading
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass

log = logging.getLogger("hatsize.plugins")

PATIENCE = 5.0
"""Seconds without an await after which a plugin is named."""
LOOK_EVERY = 1.0


@dataclass(frozen=True, slots=True)
class _Step:
    """What the thread that is watched does right now."""

    plugin: str
    what: str
    since: float


class Vigil:
    """Watches one thread's steps into plugins, from a thread of its own that ends when there are none."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._step: _Step | None = None
        self._watching = False

    def within(self, plugin: str, what: str) -> AbstractContextManager[None]:
        """What is done inside is the plugin's: `what` is a hook, a method or another thing that it does."""
        return _Within(self, plugin, what)

    def go_over_to(self, step: _Step | None) -> _Step | None:
        """The thread takes a step; the one that it leaves."""
        former, self._step = self._step, step
        if step is not None:
            self._watch()
        return former

    def _watch(self) -> None:
        with self._lock:
            if self._watching:
                return
            self._watching = True
        threading.Thread(target=self._look, name="hatsize-vigil", daemon=True).start()

    def _look(self) -> None:
        named = None
        while True:
            time.sleep(LOOK_EVERY)
            with self._lock:
                step = self._step
                if step is None:
                    self._watching = False
                    return
            if step is not named and (waited := time.monotonic() - step.since) >= PATIENCE:
                named = step
                text = "the whole server waits for plugin %s, which has been in %s for %.0f s: let it block in a thread"
                log.error(text, step.plugin, step.what, waited)


class _Within(AbstractContextManager[None]):
    """A step, with what the thread did before."""

    __slots__ = ("_outer", "_plugin", "_vigil", "_what")

    def __init__(self, vigil: Vigil, plugin: str, what: str) -> None:
        self._vigil, self._plugin, self._what = vigil, plugin, what

    def __enter__(self) -> None:
        self._outer = self._vigil.go_over_to(_Step(self._plugin, self._what, time.monotonic()))

    def __exit__(self, *_raised: object) -> None:
        self._vigil.go_over_to(self._outer)
