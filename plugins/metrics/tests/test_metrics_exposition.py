"""Figures as Prometheus reads them."""

from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from hatsize.hooks.metrics import Figure, Histogram, Sample
from hatsize_metrics.exposition import Exposition

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def samples(figures, accept="", read=read_text):
    body, _ = Exposition(lambda: figures).scrape(accept)
    return {
        (sample.name, *sorted(sample.labels.items())): sample
        for family in read(body.decode())
        for sample in family.samples
    }


def test_gauges_and_counters():
    found = samples(
        [
            Figure("a", "gauge", "A.", [Sample(2.0, {"x": "1"}), Sample(3.0, {"x": "2"})]),
            Figure("b", "counter", "B.", [Sample(5.0)]),
        ]
    )
    assert found["a", ("x", "1")].value == 2.0
    assert found["a", ("x", "2")].value == 3.0
    assert found["b_total",].value == 5.0


def test_histograms_with_exemplars():
    histogram = Histogram((0.5, 1.0))
    histogram.observe(0.7, {"seq": "9"})
    figure = Figure("c_seconds", "histogram", "C.", [histogram.distribution(app="x")])
    found = samples([figure], OPENMETRICS, read_openmetrics)
    assert found["c_seconds_bucket", ("app", "x"), ("le", "0.5")].value == 0
    assert found["c_seconds_bucket", ("app", "x"), ("le", "1.0")].exemplar.labels == {"seq": "9"}
    assert found["c_seconds_bucket", ("app", "x"), ("le", "+Inf")].value == 1
    assert found["c_seconds_count", ("app", "x")].value == 1
    assert found["c_seconds_sum", ("app", "x")].value == 0.7


def test_openmetrics_tells_the_unit_that_a_name_ends_with():
    figures = [
        Figure("a_seconds", "gauge", "A."),
        Figure("b_bytes", "counter", "B."),
        Figure("c_online", "gauge", "C."),
    ]
    body, _ = Exposition(lambda: figures).scrape(OPENMETRICS)
    units = {family.name: family.unit for family in read_openmetrics(body.decode())}
    assert (units["a_seconds"], units["b_bytes"], units["c_online"]) == ("seconds", "bytes", "")


def test_figures_of_the_process_are_there():
    assert ("process_resident_memory_bytes",) in samples([])


def test_labels_are_escaped():
    assert samples([Figure("a", "gauge", "A.", [Sample(1, {"x": 'q"\n\\'})])])["a", ("x", 'q"\n\\')].value == 1


def test_one_that_cannot_be_published_is_left_out_and_counted():
    good = Figure("a", "gauge", "A.", [Sample(1)])
    wrong = [Figure("a", "gauge", "twice"), Figure("b", "strange", "B."), Figure("c", "gauge", "C.", [Sample("many")])]
    found = samples([good, *wrong])
    assert found["a",].value == 1
    assert found["hatsize_metrics_refused",].value == 3


def test_the_answer_has_the_form_that_was_asked_for():
    exposition = Exposition(list)
    assert exposition.scrape("")[1].startswith("text/plain")
    body, content_type = exposition.scrape(OPENMETRICS)
    assert content_type.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")
