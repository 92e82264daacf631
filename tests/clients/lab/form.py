"""The login page's form, filled in as a browser does it."""

import re
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from typing import Any

TOKEN = re.compile(r'name="token" value="([0-9a-f]+)"')
DEADLINE = 40.0


def fill_in(url: str, username: str, password: str) -> tuple[int, str]:
    """Open a page, type into its form and send that; status and text of where it leads."""
    browser = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar())
    )
    _, page = _read(browser, url)
    token = TOKEN.search(page)
    assert token, page
    fields = {"token": token[1], "username": username, "password": password}
    return _read(browser, urllib.request.Request(url, urllib.parse.urlencode(fields).encode()))


def _read(browser: urllib.request.OpenerDirector, request: Any) -> tuple[int, str]:
    try:
        with browser.open(request, timeout=DEADLINE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read().decode()
