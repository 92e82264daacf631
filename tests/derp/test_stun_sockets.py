"""Where STUN is answered."""

import logging
import socket
from contextlib import ExitStack

import pytest

from hatsize.derp.stun import stun_sockets


@pytest.fixture
def bound():
    """Binds, and tells the family and port of each socket."""
    with ExitStack() as opened:

        def where(*addresses):
            found = stun_sockets(addresses)
            for sock in found:
                opened.enter_context(sock)
            return [(sock.family, sock.getsockname()[1]) for sock in found]

        yield where


def test_both_families_are_answered(bound, free_udp_port, caplog):
    answered = bound(("0.0.0.0", free_udp_port), ("::", free_udp_port))
    assert answered[0] == (socket.AF_INET, free_udp_port)
    assert answered[1:] in ([(socket.AF_INET6, free_udp_port)], []), "a machine may have no IPv6"
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_port_in_use_is_a_warning(bound, free_udp_port, caplog):
    bound(("127.0.0.1", free_udp_port))
    assert bound(("127.0.0.1", free_udp_port)) == []
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_nowhere_is_possible(bound):
    assert bound() == []
