"""STUN binding requests and the answers to them: how a client learns its address as seen from outside.

    request   0001 · length · cookie 2112a442 · transaction 12 · attributes
              a Tailscale client sends 8022 (software, "tailnode") and, last, 8028 (fingerprint): 40 bytes
    answer    0101 · length · cookie 2112a442 · transaction 12 · 0020 (XOR-mapped address)
              20 + 12 bytes for IPv4, 20 + 24 for IPv6

Source: RFC 8489 and protocol fact sheet, section 8.
"""

import struct
from binascii import crc32
from ipaddress import IPv6Address, ip_address
from struct import Struct
from typing import Final

COOKIE: Final = 0x2112A442
MIN_REQUEST: Final = 20
MAX_REQUEST: Final = 1280
"""A request longer than what fits any path is not one."""

_HEADER = Struct(">HHI12s")
_ATTRIBUTE = Struct(">HH")
_WORD = Struct(">I")
_MAPPED = Struct(">HHBBH")
_BINDING_REQUEST, _BINDING_SUCCESS = 0x0001, 0x0101
_XOR_MAPPED_ADDRESS, _SOFTWARE, _FINGERPRINT = 0x0020, 0x8022, 0x8028
_SOFTWARE_NAME: Final = b"tailnode"
_FINGERPRINT_MASK: Final = 0x5354554E
_TAILNODE_TAIL: Final = _ATTRIBUTE.pack(_SOFTWARE, 8) + _SOFTWARE_NAME + _ATTRIBUTE.pack(_FINGERPRINT, 4)


def parse_request(datagram: bytes, *, lenient: bool = False) -> bytes | None:
    """The transaction of a binding request, or None for anything else, which deserves no answer.

    Strict takes what Tailscale clients send, with a valid fingerprint at the end: somebody who forges source addresses
    gets 1.1 times what was sent at most. Lenient takes any well-formed request: 2.2 times at most.
    """
    if not MIN_REQUEST <= len(datagram) <= MAX_REQUEST:
        return None
    kind, length, cookie, transaction = _HEADER.unpack_from(datagram)
    if kind != _BINDING_REQUEST or cookie != COOKIE or length != len(datagram) - 20 or length % 4:
        return None
    accepted = _well_formed(datagram) if lenient else _is_tailnode(datagram)
    return transaction if accepted else None


def build_request(transaction: bytes) -> bytes:
    """What a Tailscale client sends; `transaction` has 12 bytes."""
    body = _HEADER.pack(_BINDING_REQUEST, 20, COOKIE, transaction) + _TAILNODE_TAIL
    return body + _WORD.pack(_fingerprint(body[:-4]))


def build_response(transaction: bytes, address: str, port: int) -> bytes:
    """The answer to a request from `address` (as the socket gives it) and `port`; v4-mapped is answered as IPv4."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    mask = _WORD.pack(COOKIE) + transaction
    mapped = bytes(a ^ b for a, b in zip(ip.packed, mask, strict=False))
    family = 1 if ip.version == 4 else 2
    attribute = _MAPPED.pack(_XOR_MAPPED_ADDRESS, 4 + len(mapped), 0, family, port ^ (COOKIE >> 16)) + mapped
    return _HEADER.pack(_BINDING_SUCCESS, len(attribute), COOKIE, transaction) + attribute


def _is_tailnode(datagram: bytes) -> bool:
    """Whether software and fingerprint, the last two attributes, are a Tailscale client's."""
    tail = datagram[-4 - len(_TAILNODE_TAIL) : -4]
    if tail != _TAILNODE_TAIL or len(datagram) < 40 or not _well_formed(datagram):
        return False
    return datagram[-4:] == _WORD.pack(_fingerprint(datagram[:-8]))


def _well_formed(datagram: bytes) -> bool:
    """Whether the attributes fill the datagram exactly."""
    at = 20
    try:
        while at < len(datagram):
            at += 4 + (_ATTRIBUTE.unpack_from(datagram, at)[1] + 3) // 4 * 4
    except struct.error:
        return False
    return at == len(datagram)


def _fingerprint(body: bytes) -> int:
    return crc32(body) ^ _FINGERPRINT_MASK
