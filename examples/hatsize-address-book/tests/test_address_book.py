"""Addresses come from the book, and from what it leaves free."""

import os
from ipaddress import IPv4Network, IPv6Network

import msgspec
import pytest
from hatsize_address_book.plugin import AddressBook, Settings, plugin

from hatsize.hooks.errors import PluginError
from hatsize.hooks.ipam import AllocationRequest, NoAddressError
from hatsize.hooks.manager import Plugins
from hatsize.testing.contracts.storage_samples import a_node


@pytest.fixture
def book(tmp_path):
    file = tmp_path / "addresses.csv"
    file.write_text("# the office\nWeb,100.64.0.1\n\nprinter, 100.64.0.3\nfar,10.0.0.1\n")
    return file


def asking(host, taken=(), ipv4=None):
    hostinfo = msgspec.structs.replace(a_node().hostinfo, Hostname=host)
    node = msgspec.structs.replace(a_node(), hostinfo=hostinfo, ipv4=ipv4, ipv6=None)
    v4, v6 = [IPv4Network("100.64.0.0/29")], [IPv6Network("fd7a:115c:a1e0::/48")]
    return AllocationRequest(node, None, v4, v6, taken=set(taken).__contains__)


def test_a_machine_in_the_book_gets_its_address(book):
    assert AddressBook(book).allocate(asking("web")) == ("100.64.0.1", "fd7a:115c:a1e0::1")


def test_others_get_what_the_book_leaves_free(book):
    assert AddressBook(book).allocate(asking("guest", taken=["100.64.0.2"]))[0] == "100.64.0.4"


def test_a_machine_keeps_what_it_has(book):
    assert AddressBook(book).allocate(asking("guest", ipv4="100.64.0.6"))[0] == "100.64.0.6"


@pytest.mark.parametrize(
    ("host", "taken", "words"),
    [
        ("web", ["100.64.0.1"], "100.64.0.1, which another machine has"),
        ("far", [], "10.0.0.1, which is outside the prefixes"),
        ("guest", [f"100.64.0.{number}" for number in range(8)], "no free address is left in 100.64.0.0/29"),
    ],
)
def test_what_cannot_be_had_is_told(book, host, taken, words):
    with pytest.raises(NoAddressError, match=words):
        AddressBook(book).allocate(asking(host, taken))


def test_the_book_is_read_again_when_it_changes(book):
    allocator = AddressBook(book)
    allocator.allocate(asking("web"))
    book.write_text("web,100.64.0.5\n")
    os.utime(book, ns=(1, 1))
    assert allocator.allocate(asking("web"))[0] == "100.64.0.5"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("web;100.64.0.1\n", "line 1: write `host name,IPv4"),
        ("a,1.1.1.1\nb,1.1.1.1\n", "line 2: 1.1.1.1 is given twice"),
    ],
)
def test_a_wrong_book_is_told_at_the_start(book, text, words):
    book.write_text(text)
    with pytest.raises(PluginError, match=words):
        Plugins().add(plugin, "address-book", Settings(file=book))


def test_the_server_knows_it_by_name(book):
    plugins = Plugins()
    plugins.add(plugin, "address-book", Settings(file=book))
    assert plugins.service("ip_allocator", "address-book").allocate(asking("printer"))[0] == "100.64.0.3"
