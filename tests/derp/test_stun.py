"""The STUN server on real sockets."""

import asyncio
import socket

import pytest

from hatsize.derp.stun import StunServer, stun_sockets
from hatsize.wire.stun import build_request, build_response

pytestmark = pytest.mark.anyio
TRANSACTION = b"transaction!"


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request):
    return "asyncio", {"use_uvloop": request.param}


@pytest.fixture
async def listen():
    """Starts servers that are closed after the test."""
    started = []

    async def start(*hosts):
        started.append(server := StunServer())
        for sock in stun_sockets([(host, 0) for host in hosts]):
            server.answer_on(sock)
        return server

    yield start
    for server in started:
        server.close()


async def ask(server, *datagrams, family=socket.AF_INET):
    """Send datagrams from one socket; the first answer, and the address they were sent from."""
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        for datagram in datagrams:
            sock.sendto(datagram, server.addresses[0])
        async with asyncio.timeout(5):
            while True:
                try:
                    return sock.recv(2000), sock.getsockname()[:2]
                except BlockingIOError:
                    await asyncio.sleep(0.001)


async def test_a_client_learns_its_ipv4_address(listen):
    server = await listen("127.0.0.1")
    answer, (address, port) = await ask(server, build_request(TRANSACTION))
    assert answer == build_response(TRANSACTION, address, port)
    assert server.counters.answered_ipv4 == 1


async def test_a_client_learns_its_ipv6_address(listen):
    server = await listen("::1")
    if not server.addresses:
        pytest.skip("no IPv6 on this machine")
    answer, (address, port) = await ask(server, build_request(TRANSACTION), family=socket.AF_INET6)
    assert answer == build_response(TRANSACTION, address, port)
    assert server.counters.answered_ipv6 == 1


async def test_what_is_no_request_gets_no_answer(listen):
    server = await listen("127.0.0.1")
    answer, _ = await ask(server, b"", b"hello", bytes(3000), build_request(TRANSACTION))
    assert answer[8:20] == TRANSACTION
    assert server.counters.malformed == 3


async def test_many_at_once_are_all_answered(listen):
    server = await listen("127.0.0.1")
    await ask(server, *[build_request(TRANSACTION)] * 100)
    await asyncio.sleep(0.05)
    assert server.counters.answered_ipv4 == 100
