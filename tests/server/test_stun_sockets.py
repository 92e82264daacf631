"""Where the server answers STUN."""

import logging
import socket
from contextlib import ExitStack

import pytest

from hatsize.server.settings_sections import Stun
from hatsize.server.stun import stun_sockets_of


@pytest.fixture
def bound():
    """Binds, and tells the family and port of each socket."""
    with ExitStack() as opened:

        def where(**given):
            found = stun_sockets_of(Stun.model_validate(given))
            for sock in found:
                opened.enter_context(sock)
            return [(sock.family, sock.getsockname()[1]) for sock in found]

        yield where


def test_both_families_are_answered(bound, free_udp_port):
    answered = bound(listen=[f"0.0.0.0:{free_udp_port}", f"[::]:{free_udp_port}"])
    assert answered[0] == (socket.AF_INET, free_udp_port)
    assert answered[1:] in ([(socket.AF_INET6, free_udp_port)], []), "a machine may have no IPv6"


def test_a_single_address_may_be_given_as_a_text(bound, free_udp_port):
    assert bound(listen=f"127.0.0.1:{free_udp_port}") == [(socket.AF_INET, free_udp_port)]


def test_a_port_in_use_is_a_warning(bound, free_udp_port, caplog):
    bound(listen=[f"127.0.0.1:{free_udp_port}"])
    assert bound(listen=[f"127.0.0.1:{free_udp_port}"]) == []
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_where_it_is_off_nothing_is_bound(bound):
    assert bound(enabled=False) == []


@pytest.mark.parametrize(
    ("given", "port"), [({"listen": "0.0.0.0:99"}, 99), ({"enabled": False}, -1), ({"listen": ""}, -1)]
)
def test_clients_are_told_of_the_first_port_or_of_none(given, port):
    assert Stun.model_validate(given).port == port
