"""Names whose addresses are checked."""

import anyio
import pytest

from hatsize.testing.server import free_port
from hatsize_dns.pools import Pool, fault
from hatsize_dns.settings_zones import PoolSettings

pytestmark = pytest.mark.anyio
ONE, TWO = "192.0.2.1", "2001:db8::2"
NAME = "app.net.example.com"


class Health:
    """Whose checks fail is told by the test."""

    def __init__(self):
        self.ill = set()

    async def fault(self, _check, address, _timeout):
        return "ill" if address in self.ill else ""


@pytest.fixture
def health(monkeypatch):
    made = Health()
    monkeypatch.setattr("hatsize_dns.pools.fault", made.fault)
    return made


@pytest.fixture
def changes():
    return []


@pytest.fixture
def pool(changes, health):
    settings = PoolSettings(name=NAME, addresses=[ONE, TWO], check="tcp:443", failures=2)
    return Pool(settings, lambda: changes.append(1))


async def checked(pool, times=1):
    for _ in range(times):
        for address in pool.settings.addresses:
            await pool._check(address)


async def test_at_first_all_addresses_are_told(pool, zone_of, questions):
    ask = questions(zone_of("net.example.com", "", pool))
    assert (ask.values(NAME), ask.values(NAME, "AAAA")) == ([ONE], [TWO])


async def test_one_that_fails_often_enough_is_left_out(pool, health, changes, zone_of, questions):
    ask = questions(zone_of("net.example.com", "", pool))
    health.ill = {ONE}
    await checked(pool)
    assert (ask.values(NAME), changes) == ([ONE], [])
    await checked(pool)
    assert (ask.values(NAME), ask.values(NAME, "AAAA"), changes) == ([], [TWO], [1])


async def test_one_success_brings_it_back(pool, health, changes):
    health.ill = {ONE}
    await checked(pool, 5)
    health.ill = set()
    await checked(pool)
    assert (pool.told, changes) == ([ONE, TWO], [1, 1])


async def test_when_none_is_well_all_are_told(pool, health):
    health.ill = {ONE, TWO}
    await checked(pool, 2)
    assert (pool.healthy, pool.told) == ([], [ONE, TWO])


async def test_they_are_checked_again_and_again(changes, health):
    settings = PoolSettings(name=NAME, addresses=[ONE, TWO], check="tcp:443", interval=1, failures=1)
    heard = anyio.Event()
    pool = Pool(settings, heard.set)
    health.ill = {TWO}
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pool.watch)
        with anyio.fail_after(5):
            await heard.wait()
        tasks.cancel_scope.cancel()
    assert pool.told == [ONE]


@pytest.fixture
async def http_port():
    """A server that answers 200 for /well, 503 for /ill, and no HTTP for anything else."""
    answers = {b"/well": b"HTTP/1.1 200 OK", b"/ill": b"HTTP/1.1 503 Unavailable"}

    async def serve(stream):
        async with stream:
            path = (await stream.receive()).split()[1]
            await stream.send(answers.get(path, b"nonsense") + b"\r\nContent-Length: 0\r\n\r\n")

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        yield listener.extra(anyio.abc.SocketAttribute.local_port)
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize(("path", "words"), [("well", ""), ("ill", "status 503"), ("odd", "no HTTP: BadStatusLine")])
async def test_a_check_by_http(http_port, path, words):
    assert await fault(f"http:{http_port}/{path}", "127.0.0.1", 5) == words


async def test_a_check_by_tcp():
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        assert await fault(f"tcp:{port}", "127.0.0.1", 5) == ""
    assert await fault(f"tcp:{free_port()}", "127.0.0.1", 5) == "Connection refused"


async def test_an_address_that_says_nothing_fails_in_time():
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        assert await fault(f"http:{port}/", "127.0.0.1", 0.1) == "no answer within 0.1 seconds"
