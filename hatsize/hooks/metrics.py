"""Metrics: what the server and its plugins count, read by whoever publishes it."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import accumulate
from time import monotonic, time
from typing import TYPE_CHECKING, Literal

from hatsize.hooks import hookspec

if TYPE_CHECKING:
    from hatsize.hooks.lifecycle import Server

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper ends of the buckets of a duration."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One number, and what it is of."""

    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One observation that stands for a bucket."""

    value: float
    labels: Mapping[str, str]
    at: float
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """How many observations were how large."""

    buckets: Sequence[tuple[float, int, Exemplar | None]]
    """(upper end, how many are not above it, the last one in it), the last one's upper end being infinity."""
    sum: float
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric as it is now."""

    name: str
    """As Prometheus has it, in base units: `hatsize_nodes`, `hatsize_storage_commit_seconds`; a counter's without
    `_total`."""
    kind: Literal["gauge", "counter", "histogram"]
    help: str
    samples: Sequence[Sample | Distribution] = ()


class Histogram:
    """Counts observations by size. Cheap enough for hot paths: one bisection and two additions."""

    def __init__(self, bounds: Sequence[float] = SECONDS) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self._exemplars: list[Exemplar | None] = [None] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float, exemplar: Mapping[str, str] | None = None) -> None:
        """Count one observation; `exemplar` names it, as `{"seq": "17"}`."""
        index = bisect_left(self._bounds, value)
        self._counts[index] += 1
        self._sum += value
        if exemplar is not None:
            self._exemplars[index] = Exemplar(value, exemplar, time())

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Count the seconds spent inside."""
        started = monotonic()
        try:
            yield
        finally:
            self.observe(monotonic() - started)

    def distribution(self, **labels: str) -> Distribution:
        """What was counted so far."""
        ends = (*self._bounds, float("inf"))
        return Distribution(list(zip(ends, accumulate(self._counts), self._exemplars, strict=True)), self._sum, labels)


@hookspec
def hatsize_metrics(server: "Server") -> Sequence[Figure]:  # type: ignore[empty-body]
    """Supply metrics, as they are at this moment. *All*, synchronous: asked at each scrape, so it must be quick.

    The core supplies its own through this hook. Keep the number of label values bounded: no addresses, no free text.

    Example:

        @hookimpl
        def hatsize_metrics(self, server):
            return [Figure("office_doors_open", "gauge", "Doors that are open.", [Sample(2, {"floor": "1"})])]
    """
