"""What a provider tells behind the browser's back when somebody logs out (OpenID Connect Back-Channel Logout 1.0)."""

from datetime import datetime
from typing import Any

from joserfc.jwt import Token

from hatsize_oidc.failures import StaleFailure

EVENT = "http://schemas.openid.net/event/backchannel-logout"
LIFETIME = 300
"""Seconds after which a token is too old to be news."""


def subject_of(token: Token, issuer: str, client_id: str, now: datetime, leeway: int) -> str:
    """Whom a logout token with a good signature is about; StaleFailure for one that is not for us (section 2.6)."""
    claims = token.claims
    audience = claims.get("aud")
    events = claims.get("events")
    subject = claims.get("sub")
    if claims.get("iss") != issuer or client_id not in (audience if isinstance(audience, list) else [audience]):
        raise StaleFailure("the logout token is another's")
    if not isinstance(events, dict) or EVENT not in events or "nonce" in claims:
        raise StaleFailure("the token is no logout token")
    if not _is_news(claims.get("iat"), now, leeway):
        raise StaleFailure("the logout token is too old, or from the future")
    if not isinstance(subject, str) or not subject:
        raise StaleFailure("the logout token does not say who has logged out: let the provider send the subject")
    return subject


def _is_news(issued: Any, now: datetime, leeway: int) -> bool:
    at = now.timestamp()
    return isinstance(issued, int | float) and at - LIFETIME - leeway <= issued <= at + leeway
