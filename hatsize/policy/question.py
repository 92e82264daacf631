"""What a person asks a policy: `web:443`, `[fd7a::1]:22`, `tag:server`, by which protocol."""

from dataclasses import dataclass

from hatsize.policy.ports import PROTOCOLS, WITH_PORTS, read_protocol
from hatsize.tailnet.addresses import is_address

HTTPS = 443


@dataclass(frozen=True)
class Question:
    """Where to, by which protocol. The port is 0 for protocols that have none."""

    dst: str
    port: int = HTTPS
    protocol: int = PROTOCOLS["tcp"]


def read_question(dst: str, protocol: str = "") -> Question:
    """A destination with its port, 443 where none is written, and a protocol's name or number. Raises ValueError."""
    number = read_protocol(protocol or "tcp")
    name, port = _split(dst.strip())
    if number not in WITH_PORTS:
        if port is not None:
            raise ValueError(f'protocol "{protocol}" has no ports: ask for {name} alone')
        return Question(name, 0, number)
    return Question(name, HTTPS if port is None else port, number)


def _split(dst: str) -> tuple[str, int | None]:
    """The name and the port behind its last colon, which an IPv6 address without brackets does not have."""
    name, _, digits = dst.rpartition(":")
    if is_address(dst) or not (digits.isascii() and digits.isdigit()):
        return dst.removeprefix("[").removesuffix("]"), None
    if len(digits) > 5 or not 0 < int(digits) < 65536:
        raise ValueError(f"{digits} is not a port: give one from 1 to 65535")
    return name.removeprefix("[").removesuffix("]"), int(digits)
