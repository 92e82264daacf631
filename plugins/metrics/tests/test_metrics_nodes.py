"""Nodes by kind, with a bounded number of series."""

import msgspec
import pytest

from hatsize.testing.contracts.storage_samples import a_node, change
from hatsize_metrics.nodes import bounded, breakdown, each_node, release


@pytest.fixture
def server(tailnet):
    """A server with seven nodes, of which one is connected."""

    class Server:
        state = tailnet.state

        def is_online(self, node_id):
            return node_id == 3

    tagged = [a_node(number) for number in range(1, 4)]
    owned = [msgspec.structs.replace(a_node(number), tags=()) for number in range(4, 8)]
    tailnet.state.apply(change(*tagged, *owned))
    return Server()


def values(figures, name):
    [figure] = [figure for figure in figures if figure.name == f"hatsize_{name}"]
    return {next(iter(sample.labels.values())): sample.value for sample in figure.samples}


def test_nodes_by_owner_tag_system_and_version(server):
    figures = list(breakdown(server, 50))
    assert values(figures, "nodes_by_user") == {"alice@": 4, "(none)": 3}
    assert values(figures, "nodes_by_tag") == {"tag:server": 3}
    assert values(figures, "nodes_by_os") == {"linux": 7}
    assert sum(values(figures, "nodes_by_version").values()) == 7


def test_series_of_single_nodes(server):
    figures = list(each_node(server))
    online = values(figures, "node_online")
    assert online["node-3"] == 1
    assert sum(online.values()) == 1
    assert len(values(figures, "node_key_expiry_timestamp_seconds")) == 7


def test_what_goes_beyond_the_limit_is_counted_together():
    samples = bounded({"a": 5, "b": 1, "c": 3, "d": 1}, "x", 2)
    assert [(sample.labels["x"], sample.value) for sample in samples] == [("a", 5), ("c", 3), ("(other)", 2)]


@pytest.mark.parametrize(("version", "plain"), [("1.92.5-t01-g02", "1.92.5"), ("1.80.0", "1.80.0"), ("", "(none)")])
def test_versions_are_counted_by_release(version, plain):
    assert release(version) == plain
