"""Errors of the HTTP APIs; of v1 they are told as RFC 7807 problems, `application/problem+json`."""

import logging
import secrets
from http import HTTPStatus
from typing import Any

import msgspec
from werkzeug.exceptions import HTTPException

from hatsize.hooks.storage import StorageError
from hatsize.policy.errors import PolicyError
from hatsize.tailnet.errors import AlreadyExistsError, NotAllowedError, NotFoundError, RefusedError

CONTENT_TYPE = "application/problem+json"
_log = logging.getLogger(__name__)


class ProblemBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a client is told that asked for something that was not done."""

    title: str
    status: int
    detail: str
    data: list[dict[str, Any]] | None = None
    """Which of a policy's tests failed, and how, as the hosted service tells it."""


class Problem(Exception):  # noqa: N818 - the RFC's word
    """An answer that is an error; `detail` names the thing and the mend."""

    def __init__(self, status: HTTPStatus, detail: str, data: list[dict[str, Any]] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.data = data


def bad_request(detail: str) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, detail)


def problem_of(error: Exception) -> Problem:
    """The answer to a request that ended by an exception. One nobody expected is logged, and answered by its id."""
    match error:
        case Problem():
            return error
        case NotFoundError():
            return Problem(HTTPStatus.NOT_FOUND, str(error))
        case AlreadyExistsError():
            return Problem(HTTPStatus.CONFLICT, str(error))
        case NotAllowedError():
            return Problem(HTTPStatus.FORBIDDEN, str(error))
        case RefusedError():
            return bad_request(str(error))
        case HTTPException():
            return Problem(HTTPStatus(error.code or 500), error.description or "")
        case PolicyError():
            return Problem(HTTPStatus.BAD_REQUEST, error.message, error.data or None)
        case StorageError():
            return Problem(HTTPStatus.SERVICE_UNAVAILABLE, f"nothing was changed, try again: {error}")
    bug = secrets.token_hex(4)
    _log.error("unexpected error while answering a request", exc_info=error, extra={"bug": bug})
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, f"an error of the server's own: look for bug={bug} in its log")
