"""An API as a Quart blueprint."""

import re
from http import HTTPStatus

import msgspec
from quart import Blueprint, Response, request

from hatsize.api.contract import Live
from hatsize.api.cors import cors_headers
from hatsize.api.credentials import NOBODY, Principal, authorise
from hatsize.api.definition import Api
from hatsize.api.docs import docs_page
from hatsize.api.openapi import describe
from hatsize.api.operation import ANYBODY, Call, Operation
from hatsize.api.problems import Problem, problem_of

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def api_blueprint(live: Live, api: Api) -> Blueprint:
    """The blueprint of everything below the API's base."""
    blueprint = Blueprint(f"api_{api.version}", __name__)
    for operation in api.operations:
        _add(blueprint, live, api, operation)
    _add_documents(blueprint, api)
    _add_unknown(blueprint, api)

    @blueprint.errorhandler(Exception)
    async def failed(error: Exception) -> Response:
        problem = problem_of(error)
        response = Response(api.errors.encoded(problem), problem.status, content_type=api.errors.content_type)
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


def _add(blueprint: Blueprint, live: Live, api: Api, operation: Operation) -> None:
    """Answer an operation's method and path."""

    async def view(**path: str) -> Response:
        call = Call(live, await _asking(live, api, operation), request.headers, request.args)
        reply = await operation.carry_out(call, api.check_path(call, path), await request.data)
        return Response(reply.content, reply.status, dict(reply.headers or {}), content_type=reply.content_type)

    rule = re.sub(r"{(\w+)}", r"<\1>", api.base + operation.path)
    blueprint.add_url_rule(rule, operation.name, view, methods=[operation.method])


async def _asking(live: Live, api: Api, operation: Operation) -> Principal:
    """Who makes the request."""
    if operation.scope == ANYBODY:
        return NOBODY
    return await authorise(live, request.scope, request.headers.get("Authorization", ""), basic=api.basic)


def _add_documents(blueprint: Blueprint, api: Api) -> None:
    """Answer with the description of the API, to anybody."""

    @blueprint.get(f"{api.base}/openapi.json")
    async def openapi_json() -> Response:
        return Response(msgspec.json.encode(describe(api)), content_type="application/openapi+json")

    @blueprint.get(f"{api.base}/openapi.yaml")
    async def openapi_yaml() -> Response:
        return Response(msgspec.yaml.encode(describe(api)), content_type="application/openapi+yaml")

    @blueprint.get(f"{api.base}/docs")
    async def docs() -> Response:
        return Response(docs_page(api), content_type="text/html; charset=utf-8")


def _add_unknown(blueprint: Blueprint, api: Api) -> None:
    """Tell what is wrong with a request that is no operation."""

    async def unknown(rest: str = "") -> Response:
        path = f"/{rest}"
        allowed = [op.method for op in api.operations if re.fullmatch(re.sub(r"{\w+}", "[^/]+", op.path), path)]
        if allowed:
            takes = " and ".join(sorted(set(allowed)))
            raise Problem(HTTPStatus.METHOD_NOT_ALLOWED, f"{api.base}{path} takes {takes}")
        raise Problem(HTTPStatus.NOT_FOUND, f"there is no {api.base}{path}: see {api.base}/docs")

    blueprint.add_url_rule(f"{api.base}/", "unknown", unknown, methods=METHODS)
    blueprint.add_url_rule(f"{api.base}/<path:rest>", "unknown", unknown, methods=METHODS)
