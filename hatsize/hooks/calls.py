"""Calling plugins one by one, so that each has its own deadline and none suffers by another."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeVar

import anyio

from hatsize.hooks.auth import UnavailableError
from hatsize.hooks.holding import Watched
from hatsize.hooks.ledger import Ledger
from hatsize.hooks.vigil import Vigil

Answer = TypeVar("Answer")
PATIENCE = 0.5
"""Seconds without an await after which a plugin counts as having held up the server."""

DEADLINES: dict[str, float] = {
    "hatsize_changed": 10.0,
    "hatsize_node_online": 10.0,
    "hatsize_registration": 10.0,
    "hatsize_login": 10.0,
    "hatsize_dns_records": 10.0,
    "hatsize_node_attributes": 10.0,
}
"""Seconds that one plugin has for one call of each asynchronous hook."""
SERVICE_DEADLINES: dict[str, float] = {
    "PasswordProvider.check": 20.0,
    "CredentialChecker.check": 5.0,
}
"""Seconds that one service has for one call of each asynchronous method that somebody waits for."""


@dataclass(frozen=True, slots=True)
class Implementation:
    """One plugin's function for one hook."""

    plugin: str
    hook: str
    function: Callable[..., Any]
    takes: Sequence[str]
    """Which of the hook's arguments it asks for."""

    def __call__(self, arguments: dict[str, Any]) -> Any:
        return self.function(*(arguments[name] for name in self.takes))


class Calls:
    """The ways to combine what several plugins answer to an asynchronous hook."""

    def __init__(self, ledger: Ledger, vigil: Vigil) -> None:
        self._ledger = ledger
        self._vigil = vigil

    async def one(self, implementation: Implementation, arguments: dict[str, Any]) -> tuple[bool, Any]:
        """Call one plugin: whether it answered in time and without an error, and its answer."""
        hook = implementation.hook
        return await self._timed(implementation.plugin, hook, DEADLINES[hook], lambda: implementation(arguments))

    async def service(self, name: str, method: str, call: Callable[[], Awaitable[Any]]) -> tuple[bool, Any]:
        """Call a method of the service with a name, one of `SERVICE_DEADLINES`; as above."""
        return await self._timed(name, method, SERVICE_DEADLINES[method], call)

    async def _timed(
        self, plugin: str, hook: str, seconds: float, call: Callable[[], Awaitable[Any]]
    ) -> tuple[bool, Any]:
        started, done, answer, watched = monotonic(), False, None, None
        try:
            with anyio.move_on_after(seconds) as deadline:
                watched = Watched(call(), lambda: self._vigil.within(plugin, hook))
                answer = await watched
                done = True
            if deadline.cancelled_caught:
                self._ledger.cut_off(plugin, hook, seconds)
        except UnavailableError as error:
            self._ledger.unavailable(plugin, hook, str(error))
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything, and hurts nobody
            self._ledger.failed(plugin, hook, error)
        finally:
            self._ledger.took(plugin, hook, monotonic() - started)
            if watched is not None and watched.longest > PATIENCE:
                self._ledger.held_up(plugin, hook, watched.longest)
        return done, answer

    def at_once(
        self,
        name: str,
        method: str,
        call: Callable[[], Answer],
        otherwise: Answer,
        *,
        may_raise: tuple[type[Exception], ...] = (),
    ) -> Answer:
        """What a method of a service says that must not wait; `otherwise` when it fails in a way it may not."""
        started = monotonic()
        try:
            with self._vigil.within(name, method):
                return call()
        except may_raise:
            raise
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything, and hurts nobody
            self._ledger.failed(name, method, error)
            return otherwise
        finally:
            if (took := monotonic() - started) > PATIENCE:
                self._ledger.held_up(name, method, took)

    async def first(
        self, implementations: Sequence[Implementation], arguments: dict[str, Any], otherwise: Any = None
    ) -> Any:
        """Ask one after the other; the first answer that is not None. `otherwise` is what a plugin that fails says."""
        for implementation in implementations:
            done, answer = await self.one(implementation, arguments)
            said = answer if done else otherwise
            if said is not None:
                return said
        return None

    async def all(
        self, implementations: Sequence[Implementation], arguments: dict[str, Any], nothing: Any = None
    ) -> dict[str, Any]:
        """Ask all at once; the answers that are not None, by plugin, in the settings' order.

        `nothing` is what a plugin means that answers None; without it, it is left out like one that fails.
        """
        answers: dict[str, Any] = dict.fromkeys(each.plugin for each in implementations)

        async def ask(implementation: Implementation) -> None:
            done, answer = await self.one(implementation, arguments)
            answers[implementation.plugin] = nothing if done and answer is None else answer

        async with anyio.create_task_group() as tasks:
            for implementation in implementations:
                tasks.start_soon(ask, implementation)
        return {plugin: answer for plugin, answer in answers.items() if answer is not None}

    async def chain(
        self,
        implementations: Sequence[Implementation],
        arguments: dict[str, Any],
        value: str,
        otherwise: Any = None,
    ) -> Any:
        """Ask one after the other, each with what the one before made of the argument named `value`.

        An answer of another type than that argument's ends the chain, and so does `otherwise`, which is what a plugin
        that fails says.
        """
        for implementation in implementations:
            done, answer = await self.one(implementation, arguments)
            said = answer if done else otherwise
            if said is None:
                continue
            if not isinstance(said, type(arguments[value])):
                return said
            arguments = {**arguments, value: said}
        return arguments[value]
