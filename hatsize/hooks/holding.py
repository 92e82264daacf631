"""How long a coroutine keeps everybody else waiting: the event loop runs nothing else between two of its awaits."""

from collections.abc import Awaitable, Callable, Generator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from time import monotonic
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")


class Watched(Generic[Result]):
    """An awaitable that is awaited as it would be alone, and timed from one await of its own to the next."""

    def __init__(
        self, awaitable: Awaitable[Result], within: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> None:
        """`within` makes a context for each of those stretches."""
        self._awaitable = awaitable
        self._within = within
        self.longest = 0.0
        """Seconds of the longest stretch without an await so far."""

    def __await__(self) -> Generator[Any, Any, Result]:
        # What `yield from` does (PEP 380), with a clock around each step.
        inner: Any = self._awaitable.__await__()
        step = partial(next, inner)
        while True:
            started = monotonic()
            try:
                with self._within():
                    waits_for = step()
            except StopIteration as end:
                result: Result = end.value
                return result
            finally:
                self.longest = max(self.longest, monotonic() - started)
            try:
                sent = yield waits_for
            except BaseException as error:  # noqa: BLE001 - a cancellation is for the coroutine to see
                step = partial(inner.throw, error)
            else:
                step = partial(inner.send, sent) if sent is not None else partial(next, inner)
