"""API v1 as a Quart blueprint."""

import re
from http import HTTPStatus

import msgspec
from quart import Blueprint, Response, request

from hatsize.api.contract import Live
from hatsize.api.cors import cors_headers
from hatsize.api.credentials import authorise
from hatsize.api.problems import CONTENT_TYPE, Problem, problem_of
from hatsize.api.v1 import (
    apikeys,
    auth,
    derp,
    dns,
    dns_records,
    health,
    messages,
    nodes,
    nodes_debug,
    nodes_making,
    policy,
    policy_explain,
    policy_history,
    policy_preview,
    preauthkeys,
    users,
    users_standing,
)  # fmt: skip
from hatsize.api.v1.docs import docs_page
from hatsize.api.v1.openapi import JSON, describe
from hatsize.api.v1.operation import BASE, Call, Operation

AREAS = (
    apikeys,
    auth,
    derp,
    dns,
    dns_records,
    health,
    messages,
    nodes_making,
    nodes,
    nodes_debug,
    policy,
    policy_preview,
    policy_explain,
    policy_history,
    preauthkeys,
    users,
    users_standing,
)
OPERATIONS: tuple[Operation, ...] = tuple(operation for module in AREAS for operation in module.area.operations)
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def api_v1(live: Live) -> Blueprint:
    """The blueprint of everything below `/api/v1`."""
    blueprint = Blueprint("api_v1", __name__)
    for operation in OPERATIONS:
        _add(blueprint, live, operation)
    _add_documents(blueprint)
    blueprint.add_url_rule(f"{BASE}/", "unknown", _unknown, methods=METHODS)
    blueprint.add_url_rule(f"{BASE}/<path:rest>", "unknown", _unknown, methods=METHODS)

    @blueprint.errorhandler(Exception)
    async def failed(error: Exception) -> Response:
        problem = problem_of(error)
        response = Response(problem.encoded(), problem.status, content_type=CONTENT_TYPE)
        if problem.status == HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = "Bearer"
        return response

    @blueprint.before_request
    async def preflight() -> Response | None:
        return Response(status=HTTPStatus.NO_CONTENT) if request.method == "OPTIONS" else None

    @blueprint.after_request
    async def allow_consoles(response: Response) -> Response:
        response.headers.extend(cors_headers(request.headers.get("Origin"), live.settings.cors_origins))
        return response

    return blueprint


def _add(blueprint: Blueprint, live: Live, operation: Operation) -> None:
    """Answer an operation's method and path."""

    async def view(**path: str) -> Response:
        principal = await authorise(live, request.scope, request.headers.get("Authorization", ""))
        call = Call(live, principal.actor)
        answer = await operation.carry_out(call, path, request.args, await request.data)
        return Response(msgspec.json.encode(answer) + b"\n", content_type=JSON)

    rule = re.sub(r"{(\w+)}", r"<\1>", operation.path)
    blueprint.add_url_rule(rule, operation.name, view, methods=[operation.method])


def _add_documents(blueprint: Blueprint) -> None:
    """Answer with the description of the API, to anybody."""

    @blueprint.get(f"{BASE}/openapi.json")
    async def openapi_json() -> Response:
        return Response(msgspec.json.encode(describe(OPERATIONS)), content_type="application/openapi+json")

    @blueprint.get(f"{BASE}/openapi.yaml")
    async def openapi_yaml() -> Response:
        return Response(msgspec.yaml.encode(describe(OPERATIONS)), content_type="application/openapi+yaml")

    @blueprint.get(f"{BASE}/docs")
    async def docs() -> Response:
        return Response(docs_page(OPERATIONS), content_type="text/html; charset=utf-8")


async def _unknown(rest: str = "") -> Response:
    """Tell what is wrong with a request that is no operation."""
    path = f"{BASE}/{rest}"
    allowed = [op.method for op in OPERATIONS if re.fullmatch(re.sub(r"{\w+}", "[^/]+", op.path), path)]
    if allowed:
        raise Problem(HTTPStatus.METHOD_NOT_ALLOWED, f"{path} takes {' and '.join(sorted(set(allowed)))}")
    raise Problem(HTTPStatus.NOT_FOUND, f"there is no {path}: see {BASE}/docs")
