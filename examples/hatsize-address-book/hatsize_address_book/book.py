"""The book: which address belongs to which host."""

import csv
from collections.abc import Mapping
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path


class BookError(Exception):
    """A book that cannot be used; the message names the line."""


def read_book(path: Path) -> Mapping[str, IPv4Address]:
    """Addresses by host name, in small letters. Empty lines and those that begin with # mean nothing."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(enumerate(csv.reader(file), 1))
    except OSError as error:
        raise BookError(f"{path} cannot be read: {error.strerror}") from error
    book: dict[str, IPv4Address] = {}
    for number, row in rows:
        if row and not row[0].startswith("#"):
            host, address = _entry(path, number, row)
            if address in book.values():
                raise BookError(f"{path}, line {number}: {address} is given twice")
            book[host] = address
    return book


def _entry(path: Path, number: int, row: list[str]) -> tuple[str, IPv4Address]:
    try:
        host, address = (cell.strip() for cell in row)
        return host.lower(), IPv4Address(address)
    except (AddressValueError, ValueError):
        raise BookError(f"{path}, line {number}: write `host name,IPv4 address`") from None
