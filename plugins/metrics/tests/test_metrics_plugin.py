"""The plugin: where its pages are, and who may read them."""

import urllib.request
from pathlib import Path

import anyio
import pytest
from anyio import to_thread
from quart import Quart

from hatsize.hooks.errors import PluginError
from hatsize.tailnet.state import State

TOKEN = "0123456789abcdef"


class QuietServer:
    state = State(1)
    data_dir = Path("/nonexistent")
    url = "http://127.0.0.1"

    def __init__(self, plugins):
        self.plugins = plugins

    def figures(self):
        return self.plugins.figures(self)

    def is_online(self, node_id):
        return False


@pytest.fixture
def client(metrics_plugin):
    plugins = metrics_plugin(listen="", token=TOKEN)
    app = Quart("test")
    for _, page in plugins.blueprints(QuietServer(plugins)):
        app.register_blueprint(page)
    return app.test_client()


@pytest.mark.anyio
async def test_the_token_opens_the_page(client):
    answer = await client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert b"hatsize_loop_lag_seconds_bucket" in await answer.get_data()
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.anyio
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}])
async def test_without_it_the_page_says_what_is_missing(client, headers):
    answer = await client.get("/metrics", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert TOKEN.encode() not in await answer.get_data()


def test_without_a_token_nothing_is_served_on_the_public_port(metrics_plugin):
    plugins = metrics_plugin()
    assert plugins.blueprints(QuietServer(plugins)) == []


def test_series_of_single_nodes_are_there_when_asked_for(metrics_plugin):
    def names(**given):
        plugins = metrics_plugin(**given)
        return {figure.name for figure in plugins.figures(QuietServer(plugins))}

    assert "hatsize_node_online" not in names()
    assert "hatsize_node_online" in names(per_node=True)


@pytest.mark.anyio
async def test_a_listener_of_its_own_asks_nobody(metrics_plugin, free_tcp_port):
    plugins = metrics_plugin(listen=f"127.0.0.1:{free_tcp_port}")

    def read():
        with urllib.request.urlopen(f"http://127.0.0.1:{free_tcp_port}/metrics") as answer:
            return answer.read()

    async with plugins.running(QuietServer(plugins)):
        with anyio.fail_after(10):
            assert b"hatsize_nodes_by_os" in await to_thread.run_sync(read)
    assert plugins.ledger.errors == plugins.ledger.deadlines == {}


@pytest.mark.anyio
async def test_a_port_in_use_stops_the_start_in_words(metrics_plugin):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        plugins = metrics_plugin(listen=f"127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(
            PluginError, match=r"'metrics' cannot start: plugins\.metrics\.listen = 127.*in use; choose"
        ):
            async with plugins.running(QuietServer(plugins)):
                pytest.fail("not reached")


def test_the_installed_plugin_is_taken():
    from hatsize.hooks.discovery import find, settings_model
    from hatsize.hooks.manager import Plugins

    plugin = find("metrics").load()
    plugins = Plugins()
    plugins.add(plugin, "metrics", settings_model(plugin, "metrics")())
    assert "hatsize_metrics" in plugins.hooks_of("metrics")
