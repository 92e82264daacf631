"""The `/machine/…` endpoints: the app that is served inside the tunnel (protocol fact sheet, 3)."""

from quart import Blueprint, Quart, Response, request
from werkzeug.exceptions import HTTPException

from hatsize.control import maps, pings, set_dns, smaller, ssh_check, tailnet_lock
from hatsize.control.client_warnings import ClientWarnings
from hatsize.control.peer import body_of, json_answer, peer_of, text_answer
from hatsize.control.pings import Pings
from hatsize.control.registration import Registrar
from hatsize.control.sessions import Hub
from hatsize.control.ssh_check import SSHChecks
from hatsize.hooks.storage import StorageError
from hatsize.live.tailnet import LiveTailnet
from hatsize.wire.capver import refusal
from hatsize.wire.tailcfg import RegisterRequest, RegisterResponse, WireError

BODY_LIMIT = 1 << 20


def app(
    live: LiveTailnet,
    hub: Hub,
    registrar: Registrar,
    ssh_checks: SSHChecks,
    questions: Pings,
    *,
    warnings: ClientWarnings,
) -> Quart:
    """The Quart app for one tunnel's requests; `scope["state"]` says who the peer is."""
    inner = Quart(__name__)
    inner.config.update(RESPONSE_TIMEOUT=None, BODY_TIMEOUT=30, MAX_CONTENT_LENGTH=BODY_LIMIT)
    inner.register_blueprint(_register(registrar))
    inner.register_blueprint(maps.blueprint(live, hub, warnings))
    inner.register_blueprint(ssh_check.blueprint(live, ssh_checks))
    inner.register_blueprint(pings.blueprint(questions))
    inner.register_blueprint(set_dns.blueprint(live))
    inner.register_blueprint(smaller.blueprint(live))
    inner.register_blueprint(tailnet_lock.blueprint())

    @inner.before_request
    async def refuse_old_clients() -> Response | None:
        words = refusal(peer_of(request).cap_version)
        if words is None:
            return None
        if request.path == "/machine/register":
            return json_answer(RegisterResponse(Error=words))
        return text_answer(words, 400)

    @inner.errorhandler(WireError)
    async def malformed(error: WireError) -> Response:
        return text_answer(f"cannot read the request: {error}", 400)

    @inner.errorhandler(StorageError)
    async def not_stored(error: StorageError) -> Response:
        return text_answer(f"the server cannot store this now, try again: {error}", 503)

    @inner.errorhandler(HTTPException)
    async def refused(error: HTTPException) -> Response:
        if error.code == 404:
            return text_answer(f"no such endpoint: {request.method} {request.path}", 404)
        return text_answer(error.name.lower(), error.code or 500)

    return inner


def _register(registrar: Registrar) -> Blueprint:
    routes = Blueprint("register", __name__)

    @routes.post("/machine/register")
    async def register() -> Response:
        wanted = await body_of(request, RegisterRequest)
        return json_answer(await registrar.register(peer_of(request), wanted, request.remote_addr or ""))

    return routes
