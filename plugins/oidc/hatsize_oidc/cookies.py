"""The plugin's cookies: short-lived, for its own pages, out of the reach of scripts."""

from typing import Literal

from quart import Response, request

PATH = "/oidc/"
NAMED = 16
"""Letters of what a cookie is named after."""


def give(
    answer: Response, name: str, value: str, *, seconds: float, secure: bool, site: Literal["Lax", "Strict"]
) -> None:
    """Give the browser a cookie; `Lax` where it has to come along from the provider's pages."""
    answer.set_cookie(name, value, max_age=int(seconds), path=PATH, secure=secure, httponly=True, samesite=site)


def read(name: str) -> str:
    """The browser's cookie; empty where it has none."""
    return request.cookies.get(name, "")


def take_back(answer: Response, name: str) -> None:
    """Let the browser forget a cookie."""
    answer.delete_cookie(name, path=PATH)


def underway(state: str) -> str:
    """The name of the cookie of a login that is under way; several may be, in several tabs."""
    return f"hatsize-oidc-{_plain(state[:NAMED])}"


def confirming(token: str) -> str:
    """The name of the cookie of a page with a button. Sealed tokens begin alike, and end each in its own way."""
    return f"hatsize-oidc-page-{_plain(token[-NAMED:])}"


def leaving(page: str) -> str:
    """The name of the cookie of a way out."""
    return f"hatsize-oidc-out-{_plain(page[:NAMED])}"


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter.isascii() and (letter.isalnum() or letter in "-_"))
