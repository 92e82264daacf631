"""The small endpoints in the tunnel: identity tokens, health, attributes, features, client logs."""

import logging

from quart import Blueprint, Response, request

from hatsize.control.peer import asking_node, body_of, json_answer, node_of, peer_of, text_answer
from hatsize.control.set_dns import no_publisher
from hatsize.live.tailnet import LiveTailnet
from hatsize.tailnet.commands.attributes import set_attributes
from hatsize.tailnet.errors import RefusedError
from hatsize.tailnet.model import Change, Node
from hatsize.tailnet.state import State
from hatsize.wire.tailcfg import (
    AuditLogRequest,
    HealthChangeRequest,
    QueryFeatureRequest,
    QueryFeatureResponse,
    SetDeviceAttributesRequest,
    SSHEventNotifyRequest,
    TokenRequest,
)

log = logging.getLogger(__name__)

OWN_WORDS = "control-health"
"""What old clients call the messages that this server sent them; they report even these back."""


def blueprint(live: LiveTailnet) -> Blueprint:
    """The endpoints that need no more than the tailnet."""
    routes = Blueprint("smaller", __name__)

    @routes.post("/machine/id-token")
    async def id_token() -> Response:
        wanted = await body_of(request, TokenRequest)
        asking_node(live.state, request, wanted.NodeKey)
        return text_answer("this server does not issue identity tokens", 501)

    @routes.post("/machine/update-health")
    async def update_health() -> Response:
        told = await body_of(request, HealthChangeRequest)
        node = node_of(live.state, peer_of(request), told.NodeKey)
        if node is not None and told.Error and told.Subsys != OWN_WORDS:
            log.info("node %d reports %s: %s", node.id, told.Subsys, told.Error)
        return Response(b"", 204)

    @routes.route("/machine/set-device-attr", methods=["PATCH", "POST"])
    async def set_device_attributes() -> Response:
        wanted = await body_of(request, SetDeviceAttributesRequest)
        node = asking_node(live.state, request, wanted.NodeKey)

        def command(state: State) -> Change | None:
            return set_attributes(state, node.id, wanted.Update, live.clock(), actor="node")

        try:
            await live.run(command)
        except RefusedError as error:
            return text_answer(str(error), 400)
        return json_answer({})

    @routes.post("/machine/audit-log")
    async def audit_log() -> Response:
        told = await body_of(request, AuditLogRequest)
        node = asking_node(live.state, request, told.NodeKey)
        log.info("node %d logs %s: %s", node.id, told.Action, told.Details)
        return json_answer({})

    @routes.post("/machine/feature/query")
    async def feature_query() -> Response:
        wanted = await body_of(request, QueryFeatureRequest)
        node = asking_node(live.state, request, wanted.NodeKey)
        return json_answer(_feature(live, node, wanted.Feature))

    @routes.post("/machine/ssh/notify")
    async def ssh_notify() -> Response:
        told = await body_of(request, SSHEventNotifyRequest)
        log.warning("node %d could not record SSH session %s of %s", told.SrcNode, told.ConnectionID, told.SSHUser)
        return json_answer({})

    @routes.route("/machine/webclient/<path:_rest>", methods=["POST", "GET"])
    async def web_client(_rest: str) -> Response:
        return text_answer("this server does not check logins of nodes' web clients", 501)

    @routes.get("/machine/whoami")
    async def whoami() -> Response:
        peer = peer_of(request)
        nodes = sorted(live.state.index.nodes_by_machine.get(peer.machine_key, ()))
        return json_answer({"machineKey": peer.machine_key, "capabilityVersion": peer.cap_version, "nodes": nodes})

    return routes


def _feature(live: LiveTailnet, node: Node, feature: str) -> QueryFeatureResponse:
    """Whether `tailscale serve` or `funnel` may go ahead."""
    if feature == "serve" and live.netmap.scene.dns(node).CertDomains:
        return QueryFeatureResponse(Complete=True)
    if feature == "serve":
        return QueryFeatureResponse(Text=no_publisher(live.netmap.scene.fqdn(node).rstrip(".")))
    return QueryFeatureResponse(Text=f"{feature or 'this feature'} is not available on this server.")
