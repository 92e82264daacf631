"""What plugins add while the server is put together, and the metrics they supply."""

import click
import pytest
from quart import Blueprint

from hatsize.hooks import hookimpl
from hatsize.hooks.errors import PluginError
from hatsize.hooks.manager import Plugins
from hatsize.hooks.metrics import Figure, Histogram, Sample


class Everything:
    @hookimpl
    def hatsize_blueprints(self, server):
        return [Blueprint("door", server.url.rpartition(":")[2])]

    @hookimpl
    def hatsize_commands(self):
        return [click.Command("door")]

    @hookimpl
    def hatsize_metrics(self, server):
        return [Figure("doors", "gauge", "Doors.", [Sample(2.0)])]


class Broken:
    @hookimpl
    def hatsize_blueprints(self, server):
        raise OSError("no templates")

    @hookimpl
    def hatsize_metrics(self, server):
        raise OSError("no numbers")


@pytest.fixture
def plugins():
    plugins = Plugins()
    plugins.add(Everything(), "everything")
    return plugins


def test_contributions_come_with_the_plugin_they_are_from(plugins, quiet_server):
    [(plugin, blueprint)] = plugins.blueprints(quiet_server)
    assert (plugin, blueprint.name) == ("everything", "door")
    assert [(plugin, command.name) for plugin, command in plugins.commands()] == [("everything", "door")]


def test_one_that_fails_while_the_server_is_put_together_is_named(plugins, quiet_server):
    plugins.add(Broken(), "broken")
    with pytest.raises(PluginError, match="'broken' failed in hatsize_blueprints: OSError: no templates"):
        plugins.blueprints(quiet_server)


def test_metrics_of_the_others_are_there_when_one_fails(plugins, quiet_server):
    plugins.add(Broken(), "broken")
    assert [figure.name for figure in plugins.figures(quiet_server)] == ["doors"]
    assert plugins.ledger.errors == {("broken", "hatsize_metrics"): 1}


def test_settings_are_known_by_the_plugins_name(plugins):
    plugins.add(Broken(), "broken", settings={"a": 1})
    assert plugins.settings_of("broken") == {"a": 1}
    assert plugins.settings_of("everything") is None
    assert plugins.settings_of("nobody") is None


def test_a_histogram_counts_by_size():
    histogram = Histogram((1.0, 10.0))
    for value in (0.5, 1.0, 5.0, 50.0):
        histogram.observe(value)
    counted = histogram.distribution(kind="x")
    assert [(end, count) for end, count, _ in counted.buckets] == [(1.0, 2), (10.0, 3), (float("inf"), 4)]
    assert counted.sum == 56.5
    assert counted.labels == {"kind": "x"}


def test_a_bucket_remembers_its_last_exemplar():
    histogram = Histogram((1.0,))
    histogram.observe(0.5, {"seq": "1"})
    histogram.observe(0.6, {"seq": "2"})
    (_, _, exemplar), (_, _, none) = histogram.distribution().buckets
    assert (exemplar.value, exemplar.labels) == (0.6, {"seq": "2"})
    assert none is None
