"""API v1 as a Quart blueprint."""

from quart import Blueprint

from hatsize.api.blueprint import api_blueprint
from hatsize.api.contract import Live
from hatsize.api.definition import Api, ErrorForm, operations_of
from hatsize.api.problems import CONTENT_TYPE, ProblemBody
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
V1 = Api(
    version="v1",
    operations=operations_of(AREAS),
    errors=ErrorForm(
        CONTENT_TYPE,
        ProblemBody,
        lambda problem: ProblemBody(problem.status.phrase, problem.status.value, problem.detail, problem.data),
    ),
)


def api_v1(live: Live) -> Blueprint:
    """The blueprint of everything below `/api/v1`."""
    return api_blueprint(live, V1)
