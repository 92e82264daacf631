"""Addresses to listen on, as Go reads them."""

from typing import Any

PORTS = {"http": "80", "https": "443"}
"""Names of services that stand for ports."""
EVERYWHERE = frozenset({"", "0.0.0.0", "[::]"})  # noqa: S104 - what a configuration may say


def listening(value: Any) -> list[str]:
    """The addresses and ports; one without a host, or with either family's wildcard, listens on both families."""
    if not value:
        return []
    host, _, name = str(value).rpartition(":")
    port = PORTS.get(name, name)
    return [f"0.0.0.0:{port}", f"[::]:{port}"] if host in EVERYWHERE else [f"{host}:{port}"]


def listening_once(value: Any) -> str | None:
    """The same where a single address is to be given: that of IPv4 for both, and an address for `localhost`."""
    return next((address.replace("localhost:", "127.0.0.1:") for address in listening(value)), None)
