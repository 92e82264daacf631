"""`/register/AUTH-ID`: the page a client's user is sent to, to log in or to have the login approved."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
from quart import Blueprint, Response, render_template, request

from hatsize.control import form_tokens
from hatsize.hooks.auth import FreshLoginProvider, LoginProvider, PasswordProvider
from hatsize.hooks.pages import PAGE_HEADERS
from hatsize.live.tailnet import LiveTailnet
from hatsize.tailnet.held_sessions import PURPOSE, session_of
from hatsize.tailnet.model import LoginState, Node, PendingLogin
from hatsize.wire import tailcfg
from hatsize.wire.tailcfg import RegisterRequest


@dataclass(frozen=True, slots=True)
class Remark:
    """What the page says to somebody whose login did not succeed."""

    words: str
    status: int
    username: str = ""
    """The name they had typed, to be typed no more."""
    retry_after: int = 0
    """Seconds."""


NO_REMARK = Remark("", 200)


def login_at(live: LiveTailnet, auth_id: str) -> PendingLogin | None:
    """The login with an id, decided or not; None when there is none, or its time is over."""
    login = live.state.find(PendingLogin, live.state.index.login_by_auth_id.get(auth_id))
    over = login is not None and login.state is LoginState.PENDING and login.expires <= live.clock()
    return None if over else login


async def gone() -> Response:
    """The page of a login that is not there."""
    return Response(await render_template("gone.html"), 404, PAGE_HEADERS)


async def page_of(live: LiveTailnet, login: PendingLogin, remark: Remark = NO_REMARK) -> Response:
    """The page of a pending login: which machine asks, how to approve it, and the ways to log in."""
    passwords: list[PasswordProvider] = live.services.plugins.services("password_provider")
    browser = form_tokens.browser_of(request)
    form = {
        "auth_id": login.auth_id,
        "state": login.state.value,
        "accounts": [provider.title for provider in passwords],
        "token": form_tokens.token(browser, login.auth_id),
        "remark": remark,
    }
    if login.purpose == PURPOSE:
        body = await render_template("ssh_check.html", **form, **_of_session(live, login))
    else:
        body = await render_template("register.html", **form, **_of_machine(live, login))
    answer = Response(body, remark.status, PAGE_HEADERS)
    if remark.retry_after:
        answer.headers["Retry-After"] = str(remark.retry_after)
    if passwords:
        form_tokens.remember(answer, request, browser)
    return answer


def _of_machine(live: LiveTailnet, login: PendingLogin) -> dict[str, Any]:
    """What is shown of a machine that wants to join, and the ways to log in."""
    node = live.state.find(Node, login.node_id)
    hostinfo = tailcfg.decode(RegisterRequest, login.request).Hostinfo
    providers: list[LoginProvider] = live.services.plugins.services("login_provider")
    return {
        "reason": login.reason,
        "hostname": hostinfo.Hostname if hostinfo else "",
        "os": hostinfo.OS if hostinfo else "",
        "machine": login.machine_key,
        "name": live.netmap.scene.fqdn(node).rstrip(".") if node else "",
        "providers": _buttons(live, [(each, partial(each.start_url, login)) for each in providers]),
    }


def _of_session(live: LiveTailnet, login: PendingLogin) -> dict[str, Any]:
    """What is shown of an SSH session that waits, and the ways to show that one is its owner."""
    providers: list[LoginProvider] = live.services.plugins.services("login_provider")
    fresh = [(each, partial(each.check_url, login)) for each in providers if isinstance(each, FreshLoginProvider)]
    return {"providers": _buttons(live, fresh), **msgspec.structs.asdict(session_of(login))}


def _buttons(live: LiveTailnet, links: Sequence[tuple[LoginProvider, Callable[[], str]]]) -> list[tuple[str, str]]:
    """Titles and URLs, without those of a provider that fails to give one."""
    at_once = live.services.plugins.calls.at_once
    buttons = [(each.title, at_once(each.name, "LoginProvider.start_url", link, "")) for each, link in links]
    return [(title, url) for title, url in buttons if url]


def blueprint(live: LiveTailnet) -> Blueprint:
    """The page of a pending login."""
    routes = Blueprint("login", __name__, template_folder="templates")

    @routes.get("/register/<auth_id>")
    async def register(auth_id: str) -> Response:
        login = login_at(live, auth_id)
        return await gone() if login is None else await page_of(live, login)

    return routes
