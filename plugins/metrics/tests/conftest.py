"""A tailnet with plugins, and the figures of a server as its parts would count them."""

import os
import shutil
from pathlib import Path

import pytest

from hatsize_metrics.plugin import MetricsPlugin
from hatsize_metrics.settings import Settings

BIN = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "hatsize" / "bin"


def tool(name):
    """The path of a program of Prometheus; the test is skipped where there is none."""
    found = shutil.which(name, path=f"{BIN}{os.pathsep}{os.environ['PATH']}")
    if found is None:
        pytest.skip(f"{name} is not there: install Prometheus, or put it into {BIN}")
    return found


@pytest.fixture
def promtool():
    return tool("promtool")


@pytest.fixture
def prometheus():
    return tool("prometheus")


@pytest.fixture
def metrics_plugin():
    """Makes the plugin with these settings, and the manager it is in."""
    from hatsize.hooks.manager import Plugins

    def make(**given):
        plugins = Plugins()
        plugins.add(MetricsPlugin(), "metrics", Settings(**given))
        return plugins

    return make
