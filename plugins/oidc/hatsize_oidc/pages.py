"""`/oidc/NAME/…`: where a login goes to its provider, where it comes back, and where it is confirmed."""

import logging
from collections.abc import Mapping
from http import HTTPStatus

from quart import Blueprint, Response, abort, render_template, request

from hatsize.hooks.lifecycle import Server
from hatsize.hooks.pages import PAGE_HEADERS
from hatsize.hooks.storage import StorageError
from hatsize.tailnet.errors import RefusedError
from hatsize_oidc import confirmations, cookies, leaving, underway
from hatsize_oidc.asked import Asked, asked_for
from hatsize_oidc.confirmations import Answered, Confirmations
from hatsize_oidc.failures import LoginFailure, ProviderFailure, StaleFailure, shown
from hatsize_oidc.leaving import Leavings
from hatsize_oidc.provider import OidcProvider
from hatsize_oidc.refresh_tokens import RefreshTokens
from hatsize_oidc.underway import Logins
from hatsize_oidc.upkeep import Upkeep

log = logging.getLogger("hatsize.oidc")

SAME_SITE = {"same-origin", "none", ""}
"""What browsers say of a form's origin (`Sec-Fetch-Site`) when it is our own page, or say nothing."""


class Pages:
    """The plugin's web pages, for all its providers."""

    def __init__(
        self,
        server: Server,
        providers: Mapping[str, OidcProvider],
        tokens: RefreshTokens,
        upkeep: Upkeep,
    ) -> None:
        self._server = server
        self._providers = providers
        self._tokens = tokens
        self._upkeep = upkeep
        self._logins = Logins(server.derived_key("oidc:underway"))
        self._waiting = Confirmations(server.derived_key("oidc:waiting"))
        self._leavings = Leavings(server.derived_key("oidc:leaving"))
        self._secure = server.url.startswith("https://")

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("oidc", __name__, url_prefix="/oidc", template_folder="templates")
        routes.get("/<name>/start")(self._start)
        routes.get("/<name>/callback")(self._callback)
        routes.get("/callback")(self._headscales_callback)
        routes.post("/<name>/confirm")(self._confirm)
        routes.get("/<name>/logout")(self._logout)
        routes.get("/<name>/logged-out")(self._logged_out)
        routes.post("/<name>/backchannel-logout")(self._backchannel_logout)
        routes.register_error_handler(LoginFailure, self._failed)
        routes.register_error_handler(RefusedError, self._failed)
        routes.register_error_handler(StorageError, self._failed)
        return routes

    async def _start(self, name: str) -> Response:
        """Send the browser to the provider, with what its return has to match."""
        provider = self._provider(name)
        asked = asked_for(self._server, request.args.get("auth", ""))
        login, sealed = self._logins.begin(name, asked.auth_id, fresh=not asked.is_machine)
        there = await provider.login_page(login, self._callback_url(provider))
        answer = _redirect(there)
        cookie = cookies.underway(login.state)
        cookies.give(answer, cookie, sealed, seconds=underway.LIFETIME, secure=self._secure, site="Lax")
        return answer

    async def _callback(self, name: str) -> Response:
        """The browser is back: find out who has logged in, and ask whether the machine is theirs."""
        provider = self._provider(name)
        state = request.args.get("state", "")
        cookie = cookies.underway(state)
        login = self._logins.taken(name, state, cookies.read(cookie))
        asked = asked_for(self._server, login.auth_id)
        arrived = await provider.arrived(login, request.args.to_dict(), self._callback_url(provider))
        answered = Answered(
            name, asked.auth_id, arrived.identity, arrived.tokens.refresh_token, arrived.tokens.id_token
        )
        token, browser = self._waiting.wait(answered)
        page = await _page("oidc_confirm.html", provider=provider, asked=asked, who=arrived.identity, token=token)
        kept = cookies.confirming(token)
        cookies.give(page, kept, browser, seconds=confirmations.LIFETIME, secure=self._secure, site="Strict")
        cookies.take_back(page, cookie)
        return page

    async def _headscales_callback(self) -> Response:
        """The same, where the provider knows the server that was here before."""
        known = (each.name for each in self._providers.values() if each.settings.headscale_callback)
        return await self._callback(next(known, ""))

    async def _confirm(self, name: str) -> Response:
        """The person says that the machine is theirs: let it in."""
        provider = self._provider(name)
        if request.headers.get("Sec-Fetch-Site", "") not in SAME_SITE:
            raise StaleFailure("this form was sent from another site: start the login again")
        token = (await request.form).get("token", "")
        cookie = cookies.confirming(token)
        answered = self._waiting.taken(token, cookies.read(cookie))
        asked = asked_for(self._server, answered.auth_id)
        await self._let_in(asked, answered)
        log.info("%s logged in at %s for %s", shown(answered.identity.name), name, shown(asked.what))
        page = await self._done(provider, asked, answered.id_token)
        cookies.take_back(page, cookie)
        return page

    async def _done(self, provider: OidcProvider, asked: Asked, id_token: str) -> Response:
        """The last page, with a way to log out at the provider where it has one."""
        if not await provider.can_log_out():
            return await _page("oidc_done.html", provider=provider, asked=asked)
        out, sealed = self._leavings.offer(provider.name, id_token)
        page = await _page("oidc_done.html", provider=provider, asked=asked, logout=out)
        cookie = cookies.leaving(out)
        cookies.give(page, cookie, sealed, seconds=leaving.LIFETIME, secure=self._secure, site="Strict")
        return page

    async def _let_in(self, asked: Asked, answered: Answered) -> None:
        if answered.refresh_token:
            # First, so that the end of an older session, heard of at this moment, shuts out nobody who is let in.
            await self._tokens.keep(answered.identity.identity, answered.refresh_token)
        if asked.is_machine:
            await self._server.log_in(asked.auth_id, answered.identity)
        else:
            await self._server.approve_check(asked.auth_id, answered.identity)

    async def _logout(self, name: str) -> Response:
        """End the browser's session at the provider (OpenID Connect RP-Initiated Logout 1.0)."""
        provider = self._provider(name)
        out = request.args.get("page", "")
        cookie = cookies.leaving(out)
        id_token = self._leavings.taken(name, out, cookies.read(cookie))
        answer = _redirect(await provider.logout_page(id_token, f"{self._server.url}/oidc/{name}/logged-out"))
        cookies.take_back(answer, cookie)
        return answer

    async def _logged_out(self, name: str) -> Response:
        return await _page("oidc_logged_out.html", provider=self._provider(name))

    async def _backchannel_logout(self, name: str) -> Response:
        """The provider itself tells that somebody has logged out: whether they stay is asked at once."""
        provider = self._provider(name)
        await self._upkeep.ask_soon(await provider.logged_out((await request.form).get("logout_token", "")))
        return Response(b"", HTTPStatus.OK, PAGE_HEADERS)

    async def _failed(self, failure: Exception) -> Response:
        """Say in words what went wrong, here and in the log."""
        status = failure.status if isinstance(failure, LoginFailure) else HTTPStatus.FORBIDDEN
        if isinstance(failure, StorageError):
            status = HTTPStatus.SERVICE_UNAVAILABLE
        level = logging.WARNING if isinstance(failure, ProviderFailure | StorageError) else logging.INFO
        log.log(level, "login at %s failed: %s", shown(request.path), failure)
        words = f"{failure}"
        return await _page("oidc_failed.html", status, words=words[:1].upper() + words[1:])

    def _provider(self, name: str) -> OidcProvider:
        return self._providers.get(name) or abort(HTTPStatus.NOT_FOUND)

    def _callback_url(self, provider: OidcProvider) -> str:
        return f"{self._server.url}{provider.settings.callback}"


async def _page(template: str, status: HTTPStatus = HTTPStatus.OK, **what: object) -> Response:
    return Response(await render_template(template, **what), status, PAGE_HEADERS)


def _redirect(url: str) -> Response:
    return Response(b"", HTTPStatus.SEE_OTHER, {**PAGE_HEADERS, "Location": url})
