"""Letting web consoles that are served from elsewhere use the API (the Fetch standard's CORS protocol)."""

from collections.abc import Mapping, Sequence

ANY = "*"


def cors_headers(origin: str | None, allowed: Sequence[str]) -> Mapping[str, str]:
    """The headers an answer to a page of this origin needs; none when it is not one of the settings' origins."""
    if not origin or not (ANY in allowed or origin in allowed):
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
        "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
        "Access-Control-Expose-Headers": "ETag",
        "Access-Control-Max-Age": "3600",
        "Vary": "Origin",
    }
