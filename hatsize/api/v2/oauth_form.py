"""What a request for a token says, in its form and its Authorization header (RFC 6749, sections 2.3.1, 4.4.2). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote_plus

from hatsize.api.authorization import basic_of

FORM = "application/x-www-form-urlencoded"
GRANT = "client_credentials"
MAX_FIELDS = 50


class FormError(Exception):
    """A request that gets no token; `code` is one of section 5.2."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """Whose token, and for what."""

    secret: str = field(repr=False)
    scopes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


def read_token_request(authorization: str, content_type: str, body: bytes) -> TokenRequest:
    """The request; raises FormError. A grant that is not named is the one there is, as the hosted service has it."""
    form = _form(content_type, body)
    grant = form.get("grant_type", GRANT)
    if grant != GRANT:
        raise FormError("unsupported_grant_type", f"grant_type must be {GRANT}")
    secret = form.get("client_secret") or unquote_plus(basic_of(authorization)[1])
    if not secret:
        raise FormError("invalid_client", "send the client's secret as client_secret, or as the password of Basic")
    return TokenRequest(secret, _words(form.get("scope", "")), _words(form.get("tags", "")))


def _form(content_type: str, body: bytes) -> Mapping[str, str]:
    """The fields, each of which may be there once."""
    if body.strip() and content_type.partition(";")[0].strip().lower() != FORM:
        raise FormError("invalid_request", f"the body must be of the type {FORM}")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise FormError(
            "invalid_request", f"the body is not {FORM}, UTF-8 and of {MAX_FIELDS} fields at most"
        ) from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise FormError("invalid_request", "a field is there twice")
    return form


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())
