"""The other pages of a DERP host, as plain functions: a request in, a status, headers and a body out.

Protocol fact sheet, section 7.4.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec

_CHALLENGE = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_NO_CACHE = {"Cache-Control": "no-cache, no-store, must-revalidate, no-transform, max-age=0"}
_TEXT = {"Content-Type": "text/plain; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Request:
    """What of a request matters here."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""


@dataclass(frozen=True, slots=True)
class Page:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


Handler = Callable[[Request], Page]
Names = Callable[[], Mapping[str, list[str]]]
"""The names this host publishes for clients without DNS, and their addresses."""


def pages(names: Names = dict) -> dict[str, Handler]:
    """The pages by path, for whoever mounts them."""
    return {
        "/": information,
        "/derp": upgrade_required,
        "/derp/probe": probe,
        "/derp/latency-check": probe,
        "/generate_204": generate_204,
        "/bootstrap-dns": lambda request: bootstrap_dns(request, names),
        "/robots.txt": robots,
    }


def probe(request: Request) -> Page:
    """How far this host is, for clients without UDP; browsers may ask from anywhere."""
    if request.method not in {"GET", "HEAD"}:
        return Page(405, {"Allow": "GET, HEAD", **_TEXT}, b"use GET or HEAD\n")
    return Page(200, {"Access-Control-Allow-Origin": "*", **_TEXT})


def generate_204(request: Request) -> Page:
    """Nothing, which a captive portal would answer with something; the challenge shows that it was really us."""
    challenge = request.headers.get("x-tailscale-challenge", "")
    headers = dict(_NO_CACHE)
    if _CHALLENGE.fullmatch(challenge):
        headers["X-Tailscale-Response"] = f"response {challenge}"
    return Page(204, headers)


def bootstrap_dns(request: Request, names: Names) -> Page:
    """The addresses of one published name, or of all."""
    published = names()
    wanted = request.query.get("q", "")
    found = {wanted: published[wanted]} if wanted in published else dict(published)
    return Page(200, {"Content-Type": "application/json", "Connection": "close"}, msgspec.json.encode(found))


def robots(request: Request) -> Page:  # noqa: ARG001
    """Search engines are to leave."""
    return Page(200, _TEXT, b"User-agent: *\nDisallow: /\n")


def upgrade_required(request: Request) -> Page:  # noqa: ARG001
    """What somebody gets who asks for the relay without speaking DERP."""
    return Page(426, {"Upgrade": "DERP", "Connection": "Upgrade", **_TEXT}, b"DERP requires connection upgrade\n")


def information(request: Request) -> Page:  # noqa: ARG001
    """What this host is, for people who find it."""
    return Page(200, {"Content-Type": "text/html; charset=utf-8", **_NO_CACHE}, _INFORMATION)


_INFORMATION = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>DERP relay</title>
<h1>DERP relay</h1>
<p>This is a relay of a private network. It passes encrypted packets between computers that cannot reach each other
directly, and cannot read them.</p>
<p>It is run with Hatsize, a control server for Tailscale clients.</p>
"""
