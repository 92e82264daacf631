"""The contexts that plugins supply to run the server in: entered in order, left in the opposite one."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Self

import anyio

from hatsize.hooks.errors import PluginError
from hatsize.hooks.holding import Watched
from hatsize.hooks.ledger import Ledger, describe
from hatsize.hooks.vigil import Vigil

HOOK = "hatsize_running"
ENTER_SECONDS = 30.0
LEAVE_SECONDS = 5.0

Context = AbstractAsyncContextManager[None]


@dataclass(slots=True)
class _Guest:
    """One plugin's context, and how far it has come."""

    plugin: str
    context: Context
    entered: anyio.Event = field(default_factory=anyio.Event)
    leave: anyio.Event = field(default_factory=anyio.Event)
    left: anyio.Event = field(default_factory=anyio.Event)
    scope: anyio.CancelScope = field(default_factory=lambda: anyio.CancelScope(shield=True))
    error: BaseException | None = None


class Running:
    """All plugins' contexts as one. Raises PluginError when one of them cannot be entered."""

    def __init__(self, contexts: Sequence[tuple[str, Context]], ledger: Ledger, vigil: Vigil) -> None:
        self._guests = [_Guest(plugin, context) for plugin, context in contexts]
        self._ledger = ledger
        self._vigil = vigil
        self._inside: list[_Guest] = []

    async def __aenter__(self) -> Self:
        self._tasks = await anyio.create_task_group().__aenter__()
        try:
            for guest in self._guests:
                self._tasks.start_soon(self._stay, guest)
                self._inside.append(guest)
                await _entered(guest)
        except BaseException:
            await self._leave()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del kind, error, trace
        await self._leave()

    async def _leave(self) -> None:
        with anyio.CancelScope(shield=True):
            for guest in reversed(self._inside):
                guest.leave.set()
                with anyio.move_on_after(LEAVE_SECONDS) as deadline:
                    await guest.left.wait()
                if deadline.cancelled_caught:
                    self._ledger.cut_off(guest.plugin, HOOK, LEAVE_SECONDS)
                    guest.scope.cancel()
        await self._tasks.__aexit__(None, None, None)

    async def _stay(self, guest: _Guest) -> None:
        """Hold one context for as long as the server runs, whatever it does."""
        try:
            with guest.scope:
                async with _Watching(guest.context, partial(self._vigil.within, guest.plugin, HOOK)):
                    guest.entered.set()
                    await guest.leave.wait()
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything, and hurts nobody
            if guest.entered.is_set():
                self._ledger.failed(guest.plugin, HOOK, error)
            else:
                guest.error = error
        finally:
            guest.left.set()
            guest.entered.set()


@dataclass(frozen=True, slots=True)
class _Watching:
    """A context that is timed while it is entered and left."""

    context: Context
    within: Callable[[], AbstractContextManager[None]]

    async def __aenter__(self) -> None:
        await Watched(self.context.__aenter__(), self.within)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await Watched(self.context.__aexit__(kind, error, trace), self.within)


async def _entered(guest: _Guest) -> None:
    with anyio.move_on_after(ENTER_SECONDS) as deadline:
        await guest.entered.wait()
    if deadline.cancelled_caught:
        guest.scope.cancel()
        raise PluginError(f"plugin {guest.plugin!r} did not start within {ENTER_SECONDS:g} seconds")
    if guest.error is not None:
        raise PluginError(f"plugin {guest.plugin!r} cannot start: {_reason(guest.error)}")


def _reason(error: BaseException) -> str:
    """The innermost of an exception group's errors, in one line."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) if isinstance(error, PluginError) else describe(error)
