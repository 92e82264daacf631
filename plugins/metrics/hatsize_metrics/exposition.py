"""Figures as Prometheus reads them, in its text form or as OpenMetrics."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import inf

from prometheus_client import GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import CollectorRegistry
from prometheus_client.samples import Exemplar as PrometheusExemplar

from hatsize.hooks.metrics import Distribution, Exemplar, Figure

REFUSED = "hatsize_metrics_refused"
UNITS = frozenset({"seconds", "bytes"})


class Exposition:
    """All metrics of a server, ready to be scraped."""

    def __init__(self, figures: Callable[[], Sequence[Figure]]) -> None:
        self._figures = figures
        self._registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self._registry.register(self)

    def scrape(self, accept: str) -> tuple[bytes, str]:
        """The metrics as they are now and their content type, in the form that an `Accept` header asks for."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type

    def collect(self) -> Iterator[Metric]:
        """What prometheus-client calls at each scrape."""
        yield from metrics_of(self._figures())

    def describe(self) -> Iterable[Metric]:
        """Nothing: what there is becomes known at each scrape."""
        return []


def metrics_of(figures: Iterable[Figure]) -> Iterator[Metric]:
    """Figures as metrics. One that cannot be published, or whose name is taken, is left out and counted."""
    taken: set[str] = set()
    refused = 0
    for figure in figures:
        if figure.name in taken:
            refused += 1
            continue
        try:
            metric = _metric(figure)
        except (ValueError, TypeError, AttributeError):
            refused += 1
            continue
        taken.add(figure.name)
        yield metric
    count = Metric(REFUSED, "Metrics of plugins that could not be published.", "gauge")
    count.add_sample(REFUSED, {}, refused)
    yield count


def _metric(figure: Figure) -> Metric:
    metric = Metric(figure.name, figure.help, figure.kind, _unit(figure.name))
    for sample in figure.samples:
        if isinstance(sample, Distribution):
            _add_buckets(metric, sample)
        else:
            suffix = "_total" if figure.kind == "counter" else ""
            metric.add_sample(figure.name + suffix, dict(sample.labels), float(sample.value))
    return metric


def _unit(name: str) -> str:
    """What a metric's name says that it is counted in; OpenMetrics tells it apart."""
    last = name.rpartition("_")[2]
    return last if last in UNITS else ""


def _add_buckets(metric: Metric, distribution: Distribution) -> None:
    labels = dict(distribution.labels)
    for end, count, exemplar in distribution.buckets:
        of_bucket = {**labels, "le": "+Inf" if end == inf else str(end)}
        metric.add_sample(metric.name + "_bucket", of_bucket, count, exemplar=_exemplar(exemplar))
    metric.add_sample(metric.name + "_count", labels, distribution.buckets[-1][1])
    metric.add_sample(metric.name + "_sum", labels, distribution.sum)


def _exemplar(exemplar: Exemplar | None) -> PrometheusExemplar | None:
    return PrometheusExemplar(dict(exemplar.labels), exemplar.value, exemplar.at) if exemplar else None
