"""What replicas notify each other of, over LISTEN and NOTIFY: JSON, at most 8,000 bytes.

{"epoch": 3, "serial": 17, "came": [5], "left": []}                 nodes came to a replica, or left it
{"to": 3, "letter": 12}                                             a letter for a replica
{}                                                                  look at what is told
"""

import msgspec


class Notice(msgspec.Struct, frozen=True):
    """A notification of any kind."""

    epoch: int = 0
    serial: int = 0
    came: list[int] = []
    left: list[int] = []
    to: int = 0
    letter: int = 0


_decoder = msgspec.json.Decoder(Notice)


def read(text: str) -> Notice:
    """A notification; one that cannot be read is like an empty one, which makes everybody look."""
    try:
        return _decoder.decode(text)
    except msgspec.MsgspecError:
        return Notice()
