"""What is an address, and which ones no node can have, because clients use them themselves."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

RESERVED: tuple[IPv4Network | IPv6Network, ...] = (
    ip_network("100.100.0.0/24"),
    ip_network("100.100.100.0/24"),
    ip_network("100.115.92.0/23"),
    ip_network("fd7a:115c:a1e0::53/128"),
    ip_network("fd7a:115c:a1e0:b1a::/64"),
    ip_network("fd7a:115c:a1e0:ab12:4843:cd96:6200::/104"),
    ip_network("fd7a:115c:a1e0:efe3::/64"),
)
"""What clients use themselves: their service addresses, ChromeOS, 4via6, 4to6 and relays (protocol fact sheet, 0.3)."""


def is_address(text: str) -> bool:
    """Whether a text is an IP address, of either family."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def is_reserved(address: IPv4Address | IPv6Address) -> bool:
    """Whether clients use an address themselves."""
    return any(address.version == network.version and address in network for network in RESERVED)
