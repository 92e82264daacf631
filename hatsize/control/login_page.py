"""`/register/AUTH-ID`: the page a client's user is sent to, to log in or to have the login approved."""

import msgspec
from quart import Blueprint, render_template

from hatsize.control.ssh_check import PURPOSE
from hatsize.hooks.auth import LoginProvider
from hatsize.live.tailnet import LiveTailnet
from hatsize.tailnet.model import LoginState, Node, PendingLogin
from hatsize.wire import tailcfg
from hatsize.wire.tailcfg import RegisterRequest

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def blueprint(live: LiveTailnet) -> Blueprint:
    """The page of a pending login: which machine asks, how to approve it, and the ways to log in."""
    routes = Blueprint("login", __name__, template_folder="templates")

    @routes.get("/register/<auth_id>")
    async def register(auth_id: str) -> tuple[str, int, dict[str, str]]:
        login = live.state.find(PendingLogin, live.state.index.login_by_auth_id.get(auth_id))
        if login is None or (login.state is LoginState.PENDING and login.expires <= live.clock()):
            return await render_template("gone.html"), 404, HEADERS
        node = live.state.find(Node, login.node_id)
        if login.purpose == PURPOSE:
            session = msgspec.json.decode(login.request)
            page = await render_template("ssh_check.html", auth_id=auth_id, state=login.state.value, **session)
            return page, 200, HEADERS
        hostinfo = tailcfg.decode(RegisterRequest, login.request).Hostinfo
        providers: list[LoginProvider] = live.services.plugins.services("login_provider")
        page = await render_template(
            "register.html",
            auth_id=auth_id,
            state=login.state.value,
            reason=login.reason,
            hostname=hostinfo.Hostname if hostinfo else "",
            os=hostinfo.OS if hostinfo else "",
            machine=login.machine_key,
            name=live.netmap.scene.fqdn(node).rstrip(".") if node else "",
            providers=[(provider.title, provider.start_url(login)) for provider in providers],
        )
        return page, 200, HEADERS

    return routes
