"""Waiting for a thing to become true: a poll with a deadline, and a failure that says what was seen instead."""

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")
INTERVAL = 0.1


def no_evidence() -> str:
    return ""


def eventually(
    attempt: Callable[[], Value],
    what: str,
    *,
    within: float,
    evidence: Callable[[], str] = no_evidence,
) -> Value:
    """The first truthy value of `attempt`; an assertion that fails in it counts as not yet.

    After `within` seconds it raises AssertionError with the last value or failure and `evidence()`, the logs' tails.
    """
    started = time.monotonic()
    while True:
        try:
            if value := attempt():
                return value
            seen = f"last seen: {value!r}"
        except AssertionError as failure:
            seen = str(failure)
        if time.monotonic() - started > within:
            raise AssertionError(f"not within {within:g} s: {what}\n{seen}\n{evidence()}")
        time.sleep(INTERVAL)
