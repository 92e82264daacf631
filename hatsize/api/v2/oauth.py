"""API v2: tokens for OAuth clients, by the grant `client_credentials` (RFC 6749, section 4.4).

The client is found by its secret alone, as the hosted service does it: `tailscale up` and others send a `client_id`
that means nothing. Errors are told in the RFC's form, not in the API's.
"""

from http import HTTPStatus

import msgspec

from hatsize.api.credentials import client_principal, credential_presented
from hatsize.api.minting import minted_secret
from hatsize.api.operation import ANYBODY, Area, Call, Reply
from hatsize.api.v2.oauth_form import FormError, TokenRequest, read_token_request
from hatsize.tailnet.commands.oauth import TOKEN_LIFE, issue_token, narrowed
from hatsize.tailnet.errors import InvalidError, NotAllowedError, NotFoundError
from hatsize.tailnet.model import Credential, CredentialKind

area = Area("OAuth")
UNCACHED = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class Token(msgspec.Struct):
    """What a client gets."""

    access_token: str
    token_type: str
    expires_in: int
    """Seconds."""
    scope: str


class Failure(msgspec.Struct):
    """What a client is told that gets none."""

    error: str
    """The RFC's word."""
    error_description: str


@area.add("POST", "/oauth/token", "getOAuthToken", "Get a token for the secret of an OAuth client", scope=ANYBODY)
async def get_token(call: Call, body: bytes) -> Reply:
    header = call.headers.get("Authorization", "")
    try:
        request = read_token_request(header, call.headers.get("Content-Type", ""), body)
        client = await credential_presented(call.live, CredentialKind.OAUTH_CLIENT, request.secret)
        token = await _issued(call, client, request)
    except FormError as error:
        return _refused(error.code, str(error), header)
    except (NotAllowedError, NotFoundError):
        return _refused("invalid_client", "no OAuth client has this secret: it is mistyped, or was deleted", header)
    return Reply(msgspec.json.encode(token), headers=UNCACHED)


async def _issued(call: Call, client: Credential, request: TokenRequest) -> Token:
    """A token for a client; raises FormError for scopes and tags that are not the client's."""
    try:
        scopes, tags = narrowed(client, request.scopes, request.tags)
    except InvalidError as error:
        raise FormError("invalid_scope", str(error)) from None
    minted = minted_secret(CredentialKind.OAUTH_TOKEN)
    signed = Call(call.live, client_principal(client), call.headers, call.parameters)
    await signed.run(lambda state: issue_token(state, client.id, minted, call.now, scopes=scopes, tags=tags))
    return Token(minted.text, "Bearer", int(TOKEN_LIFE.total_seconds()), " ".join(scopes))


def _refused(code: str, description: str, authorization: str) -> Reply:
    """The answer of section 5.2; a client that used the Authorization header is told the scheme to use."""
    body = msgspec.json.encode(Failure(code, description))
    if code != "invalid_client":
        return Reply(body, status=HTTPStatus.BAD_REQUEST, headers=UNCACHED)
    challenge = {"WWW-Authenticate": 'Basic realm="hatsize"'} if authorization else {}
    return Reply(body, status=HTTPStatus.UNAUTHORIZED, headers=UNCACHED | challenge)
