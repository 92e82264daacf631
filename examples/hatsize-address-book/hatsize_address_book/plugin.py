"""Gives each machine the address that the book says."""

from collections.abc import Collection, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Network
from itertools import islice
from pathlib import Path

from pydantic import BaseModel

from hatsize.hooks import hookimpl
from hatsize.hooks.errors import PluginError
from hatsize.hooks.ipam import AllocationRequest, IPAllocator, NoAddressError
from hatsize.hooks.setup import Setup
from hatsize_address_book.book import BookError, read_book


class Settings(BaseModel, extra="forbid"):
    """The section `[plugins.address-book]`."""

    file: Path = Path("/etc/hatsize/addresses.csv")


class AddressBook:
    """Allocates from a book that is read again whenever the file changes."""

    name = "address-book"

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read_at = 0
        self._book: Mapping[str, IPv4Address] = {}

    def read(self) -> Mapping[str, IPv4Address]:
        """The book as it is now; raises BookError."""
        changed = self._file.stat().st_mtime_ns if self._file.exists() else 0
        if changed != self._read_at or not changed:
            self._book, self._read_at = read_book(self._file), changed
        return self._book

    def allocate(self, request: AllocationRequest) -> tuple[str | None, str | None]:
        try:
            book = self.read()
        except BookError as error:
            raise NoAddressError(str(error)) from error
        node = request.node
        v4 = self._v4(request, book) if request.v4 else None
        v6 = (node.ipv6 or _first_free(request.v6, request)) if request.v6 else None
        return v4, v6

    def _v4(self, request: AllocationRequest, book: Mapping[str, IPv4Address]) -> str:
        node = request.node
        own = book.get(node.hostinfo.Hostname.lower())
        if own is None:
            return node.ipv4 or _first_free(request.v4, request, {str(address) for address in book.values()})
        if not any(own in network for network in request.v4):
            raise NoAddressError(f"the book gives {node.hostinfo.Hostname} {own}, which is outside the prefixes")
        if str(own) != node.ipv4 and request.taken(str(own)):
            raise NoAddressError(f"the book gives {node.hostinfo.Hostname} {own}, which another machine has")
        return str(own)


def _first_free(
    networks: Sequence[IPv4Network] | Sequence[IPv6Network], request: AllocationRequest, kept: Collection[str] = ()
) -> str:
    """The first address that nobody has, and that is not kept for somebody."""
    for network in networks:
        for number in islice(range(1, network.num_addresses - 1), 1 << 20):
            address = str(network[number])
            if address not in kept and not request.taken(address):
                return address
    raise NoAddressError(f"no free address is left in {', '.join(map(str, networks))}")


class AddressBookPlugin:
    hatsize_api = "1.0"

    @hookimpl
    def hatsize_settings(self) -> type[Settings]:
        return Settings

    @hookimpl
    def hatsize_configured(self, setup: Setup) -> None:
        """Look at the book once at the start, so that a wrong one is told then."""
        if setup.settings.file.exists():
            try:
                read_book(setup.settings.file)
            except BookError as error:
                raise PluginError(f"plugins.address-book.file: {error}") from error

    @hookimpl
    def hatsize_register_ip_allocator(self, setup: Setup) -> IPAllocator:
        return AddressBook(setup.settings.file)


plugin = AddressBookPlugin()
