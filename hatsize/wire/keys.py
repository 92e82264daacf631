"""The text forms of keys (`mkey:`, `nodekey:`, `discokey:`, …) and the X25519 keys behind them.

A public key travels through Hatsize as its canonical text, lower-case hex behind its prefix, so that it can be a
dictionary key, a column and a JSON value without a conversion. Source: protocol fact sheet, section 0.1.
"""

from typing import NewType, Self

from nacl.bindings import crypto_scalarmult, crypto_scalarmult_base
from nacl.utils import random as random_bytes

MachineKey = NewType("MachineKey", str)
"""`mkey:` and 64 hex digits: a machine's Noise public key."""
NodeKey = NewType("NodeKey", str)
"""`nodekey:` and 64 hex digits: a node's WireGuard public key."""
DiscoKey = NewType("DiscoKey", str)
"""`discokey:` and 64 hex digits: the public key of a node's path discovery."""

ZERO = "0" * 64
ZERO_MACHINE_KEY = MachineKey("mkey:" + ZERO)
ZERO_NODE_KEY = NodeKey("nodekey:" + ZERO)
ZERO_DISCO_KEY = DiscoKey("discokey:" + ZERO)


class KeyFormatError(ValueError):
    """A text is not a key of the expected kind; the message names the kind, never the text."""


def parse_machine_key(text: str) -> MachineKey:
    return MachineKey(_canonical(text, "mkey:"))


def parse_node_key(text: str) -> NodeKey:
    return NodeKey(_canonical(text, "nodekey:"))


def parse_disco_key(text: str) -> DiscoKey:
    return DiscoKey(_canonical(text, "discokey:"))


def machine_key(raw: bytes) -> MachineKey:
    return MachineKey("mkey:" + _hex32(raw))


def node_key(raw: bytes) -> NodeKey:
    return NodeKey("nodekey:" + _hex32(raw))


def disco_key(raw: bytes) -> DiscoKey:
    return DiscoKey("discokey:" + _hex32(raw))


def raw_key(key: MachineKey | NodeKey | DiscoKey) -> bytes:
    """The 32 bytes behind a canonical text."""
    return bytes.fromhex(key.partition(":")[2])


def is_zero(key: str) -> bool:
    """Whether a key says "none": the zero key, or no text at all."""
    return not key or key.endswith(ZERO)


class PrivateKey:
    """An X25519 private key: a server's Noise key, a relay's key, or a fake client's. Its text form is `privkey:`."""

    __slots__ = ("public", "raw")

    def __init__(self, raw: bytes) -> None:
        if len(raw) != 32:
            raise KeyFormatError("a private key has 32 bytes")
        self.raw = raw
        self.public: bytes = crypto_scalarmult_base(raw)

    @classmethod
    def generate(cls) -> Self:
        return cls(random_bytes(32))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `privkey:` and 64 hex digits; raises KeyFormatError."""
        return cls(bytes.fromhex(_canonical(text.strip(), "privkey:").partition(":")[2]))

    def text(self) -> str:
        """The secret text to store. Never log it."""
        return "privkey:" + self.raw.hex()

    def exchange(self, public: bytes) -> bytes:
        """The X25519 shared secret with a 32-byte public key; raises ValueError when it would be all zero."""
        try:
            shared: bytes = crypto_scalarmult(self.raw, public)
        except Exception as error:
            raise ValueError("the peer's public key gives no shared secret") from error
        return shared

    def __repr__(self) -> str:
        return "PrivateKey(…)"


def _canonical(text: str, prefix: str) -> str:
    digits = text[len(prefix) :].lower()
    if not text.startswith(prefix) or len(digits) != 64 or not set(digits) <= set("0123456789abcdef"):
        raise KeyFormatError(f"expected {prefix!r} and 64 hexadecimal digits")
    return prefix + digits


def _hex32(raw: bytes) -> str:
    if len(raw) != 32:
        raise KeyFormatError("a public key has 32 bytes")
    return raw.hex()
