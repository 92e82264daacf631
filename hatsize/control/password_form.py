"""`POST /register/AUTH-ID`: the form with a name and a password that plugins check."""

import logging
import math

from quart import Blueprint, Response, request

from hatsize.control import form_tokens, passwords
from hatsize.control.attempts import Attempts
from hatsize.control.login_page import Remark, gone, login_at, page_of
from hatsize.control.passwords import No
from hatsize.hooks.auth import Deny, LoginIdentity, PasswordProvider
from hatsize.hooks.lifecycle import Server
from hatsize.hooks.pages import PAGE_HEADERS
from hatsize.hooks.storage import StorageError
from hatsize.live.tailnet import LiveTailnet
from hatsize.tailnet.errors import RefusedError
from hatsize.tailnet.held_sessions import PURPOSE
from hatsize.tailnet.model import LoginState, PendingLogin

log = logging.getLogger(__name__)

NAME_LIMIT = 256
PASSWORD_LIMIT = 1024

WRONG = "The name or the password is not right, or this account may not log in."
UNANSWERED = "Names and passwords cannot be checked now. Try again in a minute."
STALE = "This page came from elsewhere, or the browser keeps no cookies. Try again."
TOO_LONG = "That name or password is too long."


def blueprint(live: LiveTailnet, server: Server) -> Blueprint:
    """Where the login page's form is posted to."""
    routes = Blueprint("password_form", __name__, template_folder="templates")
    form = PasswordForm(live, server)

    @routes.post("/register/<auth_id>")
    async def submit(auth_id: str) -> Response:
        login, fields = login_at(live, auth_id), await request.form
        if login is None:
            return await gone()
        username, password = fields.get("username", ""), fields.get("password", "")
        if not form_tokens.is_ours(request, fields.get("token", ""), auth_id):
            remark: Remark | None = Remark(STALE, 400, username[:NAME_LIMIT])
        else:
            remark = await form.filled_in(login, username, password, request.remote_addr or "")
        if remark is not None:
            return await page_of(live, login_at(live, auth_id) or login, remark)
        return Response("", 303, {**PAGE_HEADERS, "Location": f"/register/{auth_id}"})

    return routes


class PasswordForm:
    """Lets people in by the password providers of a tailnet, and SSH sessions of theirs go on."""

    def __init__(self, live: LiveTailnet, server: Server) -> None:
        self._live = live
        self._server = server
        self._attempts = Attempts(lambda: live.clock().timestamp())

    async def filled_in(self, login: PendingLogin, username: str, password: str, remote: str) -> Remark | None:
        """Let somebody in, or say why not; None when there is nothing more to say than the page itself does."""
        providers: list[PasswordProvider] = self._live.services.plugins.services("password_provider")
        if not providers or login.state is not LoginState.PENDING:
            return None
        if len(username) > NAME_LIMIT or len(password) > PASSWORD_LIMIT:
            return Remark(TOO_LONG, 400)
        attempt = self._attempts.begin(username, remote)
        if isinstance(attempt, float):
            log.warning("too many passwords were tried for one name or from %s: %.0f s to wait", remote, attempt)
            return _too_often(attempt, username)
        calls = self._live.services.plugins.calls
        match await passwords.check(providers, calls, username.strip(), password, remote):
            case LoginIdentity() as identity:
                attempt.succeeded()
                return await self._let_in(login, identity, remote)
            case Deny(reason):
                attempt.succeeded()
                log.info("login from %s refused: %s", remote, reason)
                return Remark(reason, 403, username)
            case No.UNANSWERED:
                attempt.went_unanswered()
                return Remark(UNANSWERED, 503, username)
            case No.WRONG:
                # The name is not logged: people type their password there.
                log.info("login from %s refused: no account with that name and password", remote)
                return Remark(WRONG, 403, username)

    async def _let_in(self, login: PendingLogin, identity: LoginIdentity, remote: str) -> Remark | None:
        try:
            if login.purpose == PURPOSE:
                await self._server.approve_check(login.auth_id, identity)
            else:
                await self._server.log_in(login.auth_id, identity)
        except RefusedError as error:
            log.info("login of %s from %s refused: %s", identity.name, remote, error)
            return Remark(f"{error}.", 403, identity.name)
        except StorageError as error:
            log.warning("login of %s not stored: %s", identity.name, error)
            return Remark(UNANSWERED, 503, identity.name)
        log.info("%s logged in from %s", identity.name, remote)
        return None


def _too_often(wait: float, username: str) -> Remark:
    seconds = math.ceil(wait)
    spoken = f"{seconds} second{'s' if seconds > 1 else ''}" if seconds < 120 else f"{math.ceil(seconds / 60)} minutes"
    return Remark(f"Too many attempts. Try again in {spoken}.", 429, username, seconds)
