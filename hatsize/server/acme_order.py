"""One order of a certificate from an ACME server (RFC 8555). Blocks: for a worker thread. Slow to import."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from acme import challenges as kinds
from acme import client, crypto_util, errors, messages
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from josepy.jwa import ES256
from josepy.jwk import JWK, JWKEC

from hatsize.server.acme_challenges import Challenges
from hatsize.server.settings_sections import Acme
from hatsize.server.tls import CertificateFiles, write_whole

DEADLINE = timedelta(minutes=2)
AGENT = "hatsize"


class OrderError(Exception):
    """No certificate was issued; the message says why, in the authority's words where it has some."""


@kinds.ChallengeResponse.register
class TLSALPN01Response(kinds.KeyAuthorizationChallengeResponse):
    """The client's word that a tls-alpn-01 challenge can be looked at."""

    typ = "tls-alpn-01"


@kinds.Challenge.register
class TLSALPN01(kinds.KeyAuthorizationChallenge):
    """A tls-alpn-01 challenge (RFC 8737)."""

    response_cls = TLSALPN01Response
    typ = response_cls.typ

    def validation(self, account_key: JWK, **_unused: Any) -> str:
        return self.key_authorization(account_key)


def order(acme: Acme, folder: Path, files: CertificateFiles, challenges: Challenges) -> None:
    """Order a certificate for the domains and write it to files; raises OrderError.

    The account's key is kept in `folder`.
    """
    try:
        account_key = JWKEC(key=_account_key(folder / "account.pem"))
        authority = _registered(acme, account_key)
        key = ec.generate_private_key(ec.SECP256R1())
        wanted = authority.new_order(crypto_util.make_csr(_pem(key), list(acme.domains)))
        for authorization in wanted.authorizations:
            _answer(authority, account_key, authorization, acme.challenge, challenges)
        issued = authority.poll_and_finalize(wanted, _naive_deadline())
        write_whole(files.key, _pem(key), 0o600)
        write_whole(files.certificate, issued.fullchain_pem.encode(), 0o644)
    except errors.ValidationError as error:
        raise OrderError("; ".join(_refusals(error)) or str(error)) from error
    except (errors.Error, messages.Error, requests.RequestException, OSError) as error:
        raise OrderError(str(error) or repr(error)) from error
    finally:
        challenges.clear()


def _registered(acme: Acme, account_key: JWK) -> client.ClientV2:
    """A client whose account is known to the authority, made now or before."""
    verify: Any = str(acme.ca_file) if acme.ca_file else True
    net = client.ClientNetwork(account_key, alg=ES256, verify_ssl=verify, user_agent=AGENT)
    authority = client.ClientV2(client.ClientV2.get_directory(acme.url, net), net)
    registration = messages.NewRegistration.from_data(email=acme.email or None, terms_of_service_agreed=True)
    try:
        authority.new_account(registration)
    except errors.ConflictError as known:
        net.account = messages.RegistrationResource(uri=known.location, body=registration)
    return authority


def _answer(
    authority: client.ClientV2,
    account_key: JWK,
    authorization: messages.AuthorizationResource,
    kind: str,
    challenges: Challenges,
) -> None:
    """Publish the answer to a domain's challenge of a kind, and say that it can be looked at."""
    if authorization.body.status == messages.STATUS_VALID:
        return
    domain = authorization.body.identifier.value
    asked = next((each for each in authorization.body.challenges if each.chall.typ == kind), None)
    if asked is None:
        offered = ", ".join(each.chall.typ for each in authorization.body.challenges)
        raise OrderError(f"the authority does not offer {kind} for {domain}, but {offered}: set tls.acme.challenge")
    response, validation = asked.response_and_validation(account_key)
    if kind == TLSALPN01.typ:
        challenges.show(domain, validation)
    else:
        challenges.tokens[asked.chall.encode("token")] = validation
    authority.answer_challenge(asked, response)


def _refusals(error: errors.ValidationError) -> list[str]:
    return [
        f"{failed.body.identifier.value}: {challenge.error.detail}"
        for failed in error.failed_authzrs
        for challenge in failed.body.challenges
        if challenge.error is not None
    ]


def _account_key(path: Path) -> ec.EllipticCurvePrivateKey:
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, _pem(ec.generate_private_key(ec.SECP256R1())), 0o600)
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except ValueError:
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise OrderError(f"{path} does not hold the account's key: restore it from a backup, or remove it")
    return key


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _naive_deadline() -> datetime:
    """As the library compares it: local time without a zone."""
    return (datetime.now(UTC) + DEADLINE).astimezone().replace(tzinfo=None)
