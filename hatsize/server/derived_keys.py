"""Keys that plugins seal things with: derived from the server's Noise key, which all replicas have."""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hatsize.wire.keys import PrivateKey

LENGTH = 32


def derived_key(noise_key: PrivateKey, purpose: str) -> bytes:
    """The key for a purpose (HKDF, RFC 5869): it tells nothing of the Noise key, nor of those for other purposes."""
    return HKDF(SHA256(), LENGTH, salt=None, info=b"hatsize plugin\0" + purpose.encode()).derive(noise_key.raw)
