"""What a request says, read into the types an operation takes; problems say what could not be read."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from types import NoneType
from typing import Any, get_args

import msgspec

from hatsize.api.problems import Problem, bad_request

MAX_ID = 2**64 - 1


def read_body(raw: bytes, expected: Any) -> Any:
    """The request's body, as it is where bytes are expected.

    Raises the problems 400 when it is absent or no JSON, and 422 when it is not of the expected form.
    """
    if expected is bytes:
        return raw
    if not raw.strip():
        if NoneType in get_args(expected):
            return None
        raise bad_request("a JSON body is required: send {} for an empty one")
    try:
        return msgspec.json.decode(raw, type=expected)
    except msgspec.ValidationError as error:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"the body is not as expected: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise bad_request(f"the body is not JSON: {error}") from None


def read_query(given: Mapping[str, str], expected: Any) -> Any:
    """The parameters behind the question mark; unknown ones are ignored."""
    try:
        return msgspec.convert(dict(given), type=expected, strict=False)
    except msgspec.ValidationError as error:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"a parameter is not as expected: {error}") from None


def read_id(text: str, what: str) -> int:
    """A 64-bit id; raises the 400 problem."""
    number = number_of(text)
    if number is None or number > MAX_ID:
        raise bad_request(f"{text[:40]!r} is not the id of {what}: give a whole number")
    return number


def number_of(text: str) -> int | None:
    """The number that a text may be as an id; None for another text."""
    return int(text) if re.fullmatch(r"[0-9]{1,20}", text) else None


def snake(name: str) -> str:
    """`nodeId` as `node_id`."""
    return re.sub(r"[A-Z]", lambda letter: "_" + letter[0].lower(), name)
