"""The early payload: what the server says first inside a ts2021 connection, before HTTP/2.

```
ff ff ff 'T' 'S' | length u32 BE | JSON of EarlyNoise
```
No HTTP/2 frame begins like that. Source: protocol fact sheet, 2.5.
"""

import struct

from hatsize.wire.tailcfg import EarlyNoise, WireError, decode, encode

MAGIC = b"\xff\xff\xffTS"
MAX_LENGTH = 64 << 10
"""What a client of ours reads; the open clients read up to 10 MiB."""
_LENGTH = struct.Struct(">I")


def early_payload(challenge: bytes) -> bytes:
    """The payload that tells a 32-byte challenge public key."""
    body = encode(EarlyNoise(NodeKeyChallenge="chalpub:" + challenge.hex()))
    return MAGIC + _LENGTH.pack(len(body)) + body


def split_early(data: bytes) -> tuple[EarlyNoise | None, bytes] | None:
    """What a client received, without its early payload if it has one; None while that cannot be told.

    Raises WireError for a payload that is too long or no JSON.
    """
    start = len(MAGIC) + _LENGTH.size
    if data[: len(MAGIC)] != MAGIC[: len(data)]:
        return None, data
    if len(data) < start:
        return None
    length: int = _LENGTH.unpack_from(data, len(MAGIC))[0]
    if length > MAX_LENGTH:
        raise WireError("the early payload is too long")
    if len(data) < start + length:
        return None
    return decode(EarlyNoise, data[start : start + length]), data[start + length :]
