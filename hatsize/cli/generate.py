"""`hatsize generate`: making keys."""

from hatsize.cli.nouns import Noun
from hatsize.cli.output import show

command = Noun("generate", help="Make keys.")


@command.verb("private-key")
def private_key() -> None:
    """Make a private key, as the server's Noise key."""
    from hatsize.wire.keys import PrivateKey

    key = PrivateKey.generate().text()
    show({"private_key": key}, key)
