"""What an ID token has to say before it is believed (OpenID Connect Core 1.0, 3.1.3.7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc.errors import ClaimError, ExpiredTokenError, JoseError, MissingClaimError
from joserfc.jwt import Token

from hatsize_oidc.failures import LoginFailure, shown


@dataclass(frozen=True, slots=True)
class Expected:
    """What the token must be about."""

    issuer: str
    client_id: str
    now: datetime
    leeway: int
    """Seconds."""
    nonce: str = ""
    """That of the login it answers; a refreshed one need not have it."""
    access_token: str = ""
    """That which came with it."""


def checked(token: Token, expected: Expected) -> Mapping[str, Any]:
    """The claims of a token whose signature is good; LoginFailure says in words what is wrong with them."""
    options: Any = {
        "iss": {"essential": True, "value": expected.issuer},
        "aud": {"essential": True, "values": [expected.client_id]},
    }
    params = {"client_id": expected.client_id, "nonce": expected.nonce, "access_token": expected.access_token}
    claims = CodeIDToken(token.claims, token.header, options, params)
    try:
        claims.validate(now=int(expected.now.timestamp()), leeway=expected.leeway)
    except (JoseError, ValueError, TypeError, AttributeError) as error:
        raise LoginFailure(_words(error, token.claims, expected)) from error
    return dict(claims)


def check_fresh(claims: Mapping[str, Any], since: datetime, leeway: int) -> None:
    """Raise LoginFailure unless the person has shown who they are since a moment, and not only long before it."""
    at = claims.get("auth_time")
    if not isinstance(at, int | float) or isinstance(at, bool):
        raise LoginFailure(
            "the provider does not say when you logged in (auth_time), so this login cannot stand for a fresh one: "
            "ask an administrator to approve the session"
        )
    if not at >= since.timestamp() - leeway:  # which is so of what is no number, too
        raise LoginFailure("the provider let you through without a new login: log out there, then try again")


def _words(error: Exception, claims: Mapping[str, Any], expected: Expected) -> str:
    match error:
        case ExpiredTokenError():
            ago = _seconds(expected, claims.get("exp"))
            return f"the ID token expired {ago} seconds ago: log in again, or set this server's clock or the provider's"
        case MissingClaimError(claim=claim):
            return f"the ID token lacks {shown(claim)}"
        case ClaimError(claim="iss"):
            return f"wrong issuer: the ID token is from {shown(claims.get('iss'))}, not from {expected.issuer}"
        case ClaimError(claim="aud" | "azp"):
            return f"the ID token is for {shown(claims.get('aud'))}, not for {expected.client_id}"
        case ClaimError(claim="nonce"):
            return "the ID token belongs to another login (its nonce differs): start again"
        case ClaimError(claim="iat" | "nbf" as claim):
            ahead = -_seconds(expected, claims.get(claim))
            return f"clock skew: the ID token is from {ahead} seconds ahead of this server's time; set the clocks right"
        case ClaimError(claim=claim):
            return f"the ID token's {shown(claim)} is not as it should be"
    return f"the ID token cannot be read: {shown(error)}"


def _seconds(expected: Expected, moment: Any) -> int:
    """How many seconds ago it was; 0 for what is no time."""
    is_time = isinstance(moment, int | float) and isfinite(moment)
    return int(expected.now.timestamp() - moment) if is_time else 0
