"""Secrets people present: auth keys, API keys, OAuth clients. How they are made, found again and checked.

A secret is `tskey-<kind>-<prefix>-<random>`. The prefix finds the credential and is safe to show; the whole text is
kept only as a keyed BLAKE2b hash: it has 190 bits of entropy, so a slow password hash would buy nothing. Headscale's
`hskey-<kind>-<prefix>-<random>` are found the same way once imported.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from hmac import compare_digest

from hatsize.tailnet.errors import NotAllowedError
from hatsize.tailnet.model import Credential, CredentialKind
from hatsize.tailnet.state import State

FORM = re.compile(r"(?:ts|hs)key-(?P<kind>[a-z]+)-(?P<prefix>[A-Za-z0-9_-]{12})-(?P<random>[A-Za-z0-9_-]+)")
"""Headscale's prefixes and secrets may hold hyphens, so the prefix is known by its length."""
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz123456789"
"""Letters and digits that are not mistaken for one another."""
PREFIX_LENGTH = 12
RANDOM_LENGTH = 32
NAMES = {
    CredentialKind.AUTH_KEY: "auth key",
    CredentialKind.API_KEY: "API key",
    CredentialKind.OAUTH_CLIENT: "OAuth client",
    CredentialKind.OAUTH_TOKEN: "OAuth token",
    CredentialKind.FEDERATED: "federated identity",
}
"""What a kind of credential is called."""
BCRYPT_LIMIT = 72
"""Bytes of a secret that bcrypt looks at, and takes."""


@dataclass(frozen=True, slots=True)
class Minted:
    """A new secret: what its owner is shown once, and what is kept."""

    text: str
    prefix: str
    hash: str

    def __repr__(self) -> str:
        return f"Minted(prefix={self.prefix!r})"


def mint(kind: CredentialKind, random_bytes: bytes) -> Minted:
    """A secret of a kind from 44 or more random bytes."""
    letters = "".join(ALPHABET[byte % len(ALPHABET)] for byte in random_bytes)
    prefix, rest = letters[:PREFIX_LENGTH], letters[PREFIX_LENGTH : PREFIX_LENGTH + RANDOM_LENGTH]
    if len(rest) < RANDOM_LENGTH:
        raise ValueError(f"a secret needs {PREFIX_LENGTH + RANDOM_LENGTH} random bytes")
    text = f"tskey-{kind.value}-{prefix}-{rest}"
    return Minted(text, prefix, hashed(text, prefix))


def hashed(text: str, prefix: str) -> str:
    """What is kept of a secret."""
    return "blake2b:" + blake2b(text.encode(), key=prefix.encode()[:64], digest_size=32).hexdigest()


def prefix_of(text: str) -> str | None:
    """The part of a presented text that finds its credential; None when it is no secret of ours.

    Of Headscale's oldest auth keys, 48 hexadecimal digits, the first quarter is taken for that.
    """
    match = FORM.fullmatch(text)
    if match:
        return match["prefix"]
    legacy, dot, _ = text.partition(".")
    return legacy if dot else (text[:PREFIX_LENGTH] if re.fullmatch(r"[0-9a-f]{48}", text) else None)


def matches(credential: Credential, text: str) -> bool:
    """Whether a presented text is the credential's secret, in constant time."""
    scheme, _, kept = credential.hash.partition(":")
    if scheme == "blake2b":
        return compare_digest(credential.hash, hashed(text, credential.prefix))
    form = FORM.fullmatch(text)
    secret = (form["random"] if form else text.partition(".")[2]).encode()
    if scheme == "bcrypt":
        import bcrypt  # noqa: PLC0415 - only secrets taken over from Headscale need it

        return len(secret) <= BCRYPT_LIMIT and bool(bcrypt.checkpw(secret, kept.encode()))
    return scheme == "argon2id" and _is_argon2id(secret, kept)


def _is_argon2id(secret: bytes, kept: str) -> bool:
    """Whether a hash in PHC form, as Headscale keeps those of OAuth clients, is the secret's."""
    from cryptography.exceptions import InvalidKey  # noqa: PLC0415 - only secrets taken over from Headscale need it
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id  # noqa: PLC0415

    try:
        Argon2id.verify_phc_encoded(secret, kept)
    except InvalidKey:
        return False
    return True


def presented(state: State, kind: CredentialKind, text: str, now: datetime) -> Credential:
    """The usable credential a text stands for; NotAllowedError tells in words what is wrong with it, without the
    text."""
    what = NAMES[kind]
    credential = state.find(Credential, state.index.credential_by_prefix.get(prefix_of(text) or ""))
    if credential is None or credential.kind is not kind or not matches(credential, text):
        raise NotAllowedError(f"{what} not found: it is mistyped, was deleted, or belongs to another server")
    if credential.revoked is not None:
        raise NotAllowedError(f"{what} {credential.prefix} was revoked: ask for a new one")
    if credential.expires is not None and credential.expires <= now:
        raise NotAllowedError(f"{what} {credential.prefix} has expired: ask for a new one")
    return credential
