"""That a form comes from a page this server gave to the same browser: a cookie, and in the form what is made from it.

Another site can make a browser post a form, but not read the cookie that the form's token is made from. Nothing is kept
on the server, so a page outlives a restart.
"""

import hmac
import re
import secrets

from quart import Request, Response

NAME = "hatsize-form"
SECURE_NAME = f"__Host-{NAME}"
"""With this prefix browsers take the cookie from this very host alone, over TLS (RFC 6265bis, 4.1.3.2)."""
VALUE = re.compile(r"[0-9a-f]{64}")


def browser_of(request: Request) -> str:
    """The browser's cookie, or a new value for it."""
    value = request.cookies.get(_name(request), "")
    return value if VALUE.fullmatch(value) else secrets.token_hex(32)


def token(browser: str, purpose: str) -> str:
    """What the form for a purpose holds in that browser."""
    return hmac.digest(browser.encode(), purpose.encode(), "sha256").hex()


def remember(response: Response, request: Request, browser: str) -> None:
    """Give the browser its cookie."""
    response.set_cookie(
        _name(request), browser, path="/", secure=request.is_secure, httponly=True, samesite="Strict"
    )  # until the browser is closed


def is_ours(request: Request, presented: str, purpose: str) -> bool:
    """Whether a posted form was filled in on a page of ours."""
    if request.headers.get("Sec-Fetch-Site", "none") not in {"same-origin", "none"}:
        return False
    browser = request.cookies.get(_name(request), "")
    return bool(VALUE.fullmatch(browser)) and hmac.compare_digest(presented.encode(), token(browser, purpose).encode())


def _name(request: Request) -> str:
    return SECURE_NAME if request.is_secure else NAME
