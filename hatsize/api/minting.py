"""New secrets, of the system's randomness."""

from secrets import token_bytes

from hatsize.tailnet.model import CredentialKind
from hatsize.tailnet.secrets import PREFIX_LENGTH, RANDOM_LENGTH, Minted, mint


def minted_secret(kind: CredentialKind) -> Minted:
    """A secret that nobody has seen yet."""
    return mint(kind, token_bytes(PREFIX_LENGTH + RANDOM_LENGTH))
