"""The `/machine/…` endpoints: the app that is served inside the tunnel (protocol fact sheet, 3)."""

from quart import Quart, Response, request
from werkzeug.exceptions import HTTPException

from hatsize.control import maps, pings, set_dns, smaller, ssh_check, tailnet_lock
from hatsize.control.client_warnings import ClientWarnings
from hatsize.control.direct import Answered, Asked, Direct, Endpoint, apology, in_json
from hatsize.control.peer import NO_NODE, NoNodeError, peer_of, text_answer
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
) -> Direct:
    """The app for one tunnel's requests; `scope["state"]` says who the peer is."""
    endpoints = {"/machine/register": _register(registrar), "/machine/map": maps.endpoint(live, hub, warnings)}
    return Direct(endpoints, _others(live, ssh_checks, questions), live.measures)


def _others(live: LiveTailnet, ssh_checks: SSHChecks, questions: Pings) -> Quart:
    """The Quart app for all but registering and maps."""
    inner = Quart(__name__)
    inner.config.update(RESPONSE_TIMEOUT=None, BODY_TIMEOUT=30, MAX_CONTENT_LENGTH=BODY_LIMIT)
    inner.register_blueprint(ssh_check.blueprint(live, ssh_checks))
    inner.register_blueprint(pings.blueprint(questions))
    inner.register_blueprint(set_dns.blueprint(live))
    inner.register_blueprint(smaller.blueprint(live))
    inner.register_blueprint(tailnet_lock.blueprint())

    @inner.before_request
    async def refuse_old_clients() -> Response | None:
        words = refusal(peer_of(request).cap_version)
        return None if words is None else text_answer(words, 400)

    @inner.errorhandler(WireError)
    @inner.errorhandler(StorageError)
    async def apologise(error: WireError | StorageError) -> Response:
        return text_answer(*apology(error))

    @inner.errorhandler(NoNodeError)
    async def nobody(_error: NoNodeError) -> Response:
        return text_answer(NO_NODE, 403)

    @inner.errorhandler(HTTPException)
    async def refused(error: HTTPException) -> Response:
        if error.code == 404:
            return text_answer(f"no such endpoint: {request.method} {request.path}", 404)
        return text_answer(error.name.lower(), error.code or 500)

    return inner


def _register(registrar: Registrar) -> Endpoint:
    async def register(asked: Asked) -> Answered:
        words = refusal(asked.peer.cap_version)
        if words is not None:
            return in_json(RegisterResponse(Error=words))
        return in_json(await registrar.register(asked.peer, asked.read(RegisterRequest), asked.remote))

    return register
