"""The server of a scratch tailnet as plugins see it, and its pages as browsers do: no sockets."""

from quart import Blueprint, Quart

from hatsize.control import login_page
from hatsize.control.tunnel import Tunnel
from hatsize.server.address import place_of
from hatsize.server.plugin_view import PluginView
from hatsize.server.relay_map import RelayMap
from hatsize.server.replica import ThisReplica
from hatsize.testing.tailnet import URL, ScratchTailnet
from hatsize.wire.keys import PrivateKey


def plugin_server(tailnet: ScratchTailnet, key: PrivateKey | None = None) -> PluginView:
    """The server that is given to plugins. A plugin's files go below a folder that is not there.

    Its derived keys come from `key`, by default a new one: give a restarted server, or a replica, that of the first.
    """
    settings = tailnet.settings
    noise_key = key or PrivateKey.generate()
    replica = ThisReplica(
        tailnet.live,
        tailnet.hub,
        tunnel=Tunnel(noise_key, tailnet.app, tailnet.hub.door),
        pings=tailnet.pings,
        relay=None,
        relay_key="",
        relay_map=RelayMap(settings, place_of(settings), ""),
        settings=settings,
    )
    plugins = tailnet.services.plugins
    return PluginView(
        tailnet.live, tailnet.registrar, plugins, URL, settings.data_dir, noise_key=noise_key, replica=replica
    )


def web_app(tailnet: ScratchTailnet, *blueprints: Blueprint) -> Quart:
    """An app with the login page and a plugin's pages."""
    app = Quart("scratch")
    app.register_blueprint(login_page.blueprint(tailnet.live))
    for each in blueprints:
        app.register_blueprint(each)
    return app
