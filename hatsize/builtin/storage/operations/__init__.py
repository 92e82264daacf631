"""What an operator does with the database: look at it, check it, keep copies of it, move it."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Told how far an operation is: what is being done, how much of it is done, how much there is."""


def silent(_what: str, _done: int, _total: int) -> None:
    """Progress nobody watches."""
