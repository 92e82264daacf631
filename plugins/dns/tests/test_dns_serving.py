"""A whole server that is a name server too: asked over sockets, and by a client that wants a certificate."""

import errno
import json
import socket
from contextlib import asynccontextmanager

import anyio
import dns.asyncquery
import dns.message
import dns.rcode
import pytest
from anyio import to_thread

from hatsize.hooks.errors import PluginError
from hatsize.tailnet.model import Change, DnsRecord, User
from hatsize.testing.client import RefusedError
from hatsize.testing.server import free_port
from hatsize.wire.keys import PrivateKey
from hatsize_dns import limits, listening
from hatsize_dns.challenges import unpacked
from hatsize_dns.plugin import plugin
from hatsize_dns.seen import ASYNCIO, has

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
BASE = "net.example.com"
CHALLENGE = f"_acme-challenge.desk.{BASE}"
MACHINE = PrivateKey.generate()


@pytest.fixture
def serving(hatsize_server):
    """Runs a server whose base domain is a zone of its own."""
    port = free_port()

    @asynccontextmanager
    async def run(**given):
        section = {"listen": [f"127.0.0.1:{port}"], "zones": [{"name": BASE, "nodes": "all"}], **given}
        settings = {"dns": {"base_domain": BASE}, "plugins": {"enabled": ["dns"], "dns": section}}
        async with hatsize_server(settings) as server:
            yield server

    return run


async def ask(name, rdtype="A", *, tcp=False, **options):
    (place,) = plugin.service.places
    query = dns.message.make_query(name, rdtype, **options)
    how = dns.asyncquery.tcp if tcp else dns.asyncquery.udp
    return await how(query, place.host, 5, place.port, backend=ASYNCIO)


async def values(name, rdtype="A"):
    return [rdata.to_text() for rrset in (await ask(name, rdtype)).answer for rdata in rrset]


async def desk(server):
    """A client that is the node `desk`."""
    client = await server.client("desk", MACHINE)
    answer = await client.register()
    owner = min(server.parts.live.state.all(User), key=lambda user: user.id)
    await server.parts.registrar.approve(answer.AuthURL.rpartition("/")[2], owner.id, "test")
    await client.register(followup=answer.AuthURL)
    return client


async def set_dns(client, value):
    body = {"NodeKey": client.node_key, "Name": CHALLENGE, "Type": "TXT", "Value": value}
    return json.loads(await client.post("/machine/set-dns", json.dumps(body).encode()))


async def until(condition, within=10):
    with anyio.fail_after(within):
        while not await condition():  # noqa: ASYNC110 - of the other side
            await anyio.sleep(0.02)


async def test_a_nodes_name_is_answered_by_udp_and_tcp(serving):
    async with serving() as server:
        await desk(server)
        assert await values(f"desk.{BASE}") == ["100.64.0.1"]
        by_tcp = await ask(f"desk.{BASE}", "AAAA", tcp=True)
        assert [rdata.to_text() for rdata in by_tcp.answer[0]] == ["fd7a:115c:a1e0::1"]


async def test_a_client_publishes_its_challenges_and_they_outlive_a_restart(serving):
    async with serving() as server:
        client = await desk(server)
        async with anyio.create_task_group() as tasks:
            for value in ("one", "two", "three"):
                tasks.start_soon(set_dns, client, value)
        assert sorted(await values(CHALLENGE, "TXT")) == ['"one"', '"three"', '"two"']
    async with serving():
        assert sorted(await values(CHALLENGE, "TXT")) == ['"one"', '"three"', '"two"']


async def test_commands_read_what_is_published_beside_the_server(serving):
    async with serving() as server:
        client = await desk(server)
        await set_dns(client, "one")
        stored = await to_thread.run_sync(plugin._setup.stored)
        assert [(each.name, each.value) for each in unpacked(stored)] == [(CHALLENGE, "one")]


async def test_a_challenge_is_taken_away_in_time(serving, monkeypatch):
    monkeypatch.setattr("hatsize_dns.publishing.LOOK_EVERY", 0.05)
    async with serving() as server:
        client = await desk(server)
        monkeypatch.setattr("hatsize_dns.building.time", lambda: 0.0)
        await set_dns(client, "old")
        (place,) = plugin.service.places

        async def gone():
            return not await has(place, CHALLENGE, "old")

        await until(gone)
        assert list(plugin._challenges) == []


async def test_a_name_has_only_so_many_challenges(serving):
    async with serving() as server:
        client = await desk(server)
        for number in range(16):
            await set_dns(client, f"v{number}")
        with pytest.raises(RefusedError, match=r"16 challenges of _acme-challenge.desk.net.example.com are published"):
            await set_dns(client, "v16")
        await set_dns(client, "v3")


async def test_a_client_is_told_that_it_may_have_a_certificate(serving):
    async with serving() as server:
        netmap = await (await (await desk(server)).poll()).until(lambda netmap: netmap.own)
        assert netmap.rest["DNSConfig"]["CertDomains"] == [f"desk.{BASE}"]
        assert "https" in netmap.own["CapMap"]


async def test_a_record_of_the_tailnet_is_served_as_soon_as_it_is_made(serving):
    async with serving() as server:
        live = server.parts.live

        def command(state):
            record = DnsRecord(id=state.next_id(DnsRecord), name=f"mail.{BASE}", type="MX", value="10 mx.example.org.")
            return Change(tailnet=1, kind="dns.updated", puts=(record,), at=live.clock())

        assert await values(f"mail.{BASE}", "MX") == []
        before = (await ask(BASE, "SOA")).answer[0][0].serial
        await live.run(command)

        async def there():
            return await values(f"mail.{BASE}", "MX") == ["10 mx.example.org."]

        await until(there)
        assert (await ask(BASE, "SOA")).answer[0][0].serial > before


async def test_an_edited_zone_file_is_followed_and_a_broken_one_is_not(serving, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("hatsize_dns.zone_files.LOOK_EVERY", 0.05)
    file = tmp_path / "net.zone"
    file.write_text("$TTL 60\nweb A 192.0.2.1\n")
    async with serving(zones=[{"name": BASE, "file": str(file)}]):
        assert await values(f"web.{BASE}") == ["192.0.2.1"]
        file.write_text("$TTL 60\nweb A 192.0.2.256\n")

        async def complained():
            return "the former records stay in force" in caplog.text

        await until(complained)
        assert await values(f"web.{BASE}") == ["192.0.2.1"]
        file.write_text("$TTL 60\nweb A 192.0.2.2\n")

        async def followed():
            return await values(f"web.{BASE}") == ["192.0.2.2"]

        await until(followed)


async def test_a_zone_file_that_cannot_be_used_stops_the_start(serving, tmp_path):
    with pytest.raises(PluginError, match=r"plugins.dns.zones: .*none.zone cannot be read: No such file"):
        async with serving(zones=[{"name": BASE, "file": str(tmp_path / "none.zone")}]):
            pass


async def test_a_port_in_use_is_named_with_the_mend(serving):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        place = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(PluginError, match=rf"plugins.dns.listen = {place}: Address already in use; another name"):
            async with serving(listen=[place]):
                pass


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.EACCES, "Permission denied; ports below 1024 need AmbientCapabilities=CAP_NET_BIND_SERVICE"),
        (errno.EADDRNOTAVAIL, "Cannot assign requested address; choose another one"),
    ],
)
async def test_a_port_that_one_may_not_have_is_named_with_the_mend(serving, monkeypatch, code, words):
    def refuse(place, kind):
        raise OSError(code, "")

    monkeypatch.setattr("hatsize_dns.listening._bound", refuse)
    with pytest.raises(PluginError, match=rf"plugins\.dns\.listen = 127.0.0.1:\d+: {words}"):
        async with serving():
            pass


async def test_without_ipv6_it_answers_by_ipv4(serving, monkeypatch):
    def without(place, kind):
        if ":" in place.host:
            raise OSError(errno.EAFNOSUPPORT, "")
        return bound(place, kind)

    bound = listening._bound
    monkeypatch.setattr(listening, "_bound", without)
    async with serving(listen=[f"127.0.0.1:{free_port()}", "[::]:53"]):
        assert [place.host for place in plugin.service.places] == ["127.0.0.1"]


async def test_one_address_has_only_so_many_connections(serving, monkeypatch):
    monkeypatch.setattr(listening, "MOST_OF_ONE", 1)
    async with serving():
        (place,) = plugin.service.places
        async with await anyio.connect_tcp(*place) as first, await anyio.connect_tcp(*place) as second:
            with pytest.raises(anyio.EndOfStream):
                await second.receive()
            query = dns.message.make_query(BASE, "SOA").to_wire()
            await first.send(len(query).to_bytes(2, "big") + query)
            assert await first.receive()


async def test_who_says_nothing_is_not_waited_for(serving, monkeypatch):
    monkeypatch.setattr(listening, "IDLE", 0.1)
    async with serving():
        (place,) = plugin.service.places
        async with await anyio.connect_tcp(*place) as silent:
            with anyio.fail_after(5), pytest.raises(anyio.EndOfStream):
                await silent.receive()


async def test_who_asks_too_much_is_sent_to_tcp_or_not_answered(serving, monkeypatch):
    monkeypatch.setattr(limits, "BURST", 1.0)
    async with serving(rate=2):
        (place,) = plugin.service.places
        query = dns.message.make_query(BASE, "SOA").to_wire()
        async with await anyio.create_connected_udp_socket(place.host, place.port) as udp:
            for _ in range(6):
                await udp.send(query)
            with anyio.fail_after(5):
                answers = [dns.message.from_wire(await udp.receive()) for _ in range(4)]
        assert [bool(answer.flags & dns.flags.TC) for answer in answers] == [False, False, True, True]
        assert dns.rcode.to_text((await ask(BASE, "SOA", tcp=True)).rcode()) == "NOERROR"


async def test_a_connection_answers_one_question_after_the_other_and_ends_with_nonsense(serving):
    async with serving():
        (place,) = plugin.service.places
        query = dns.message.make_query(BASE, "SOA").to_wire()
        async with await anyio.connect_tcp(place.host, place.port) as tcp:
            for _ in range(2):
                await tcp.send(len(query).to_bytes(2, "big") + query)
                length = int.from_bytes(await tcp.receive(2), "big")
                assert dns.message.from_wire(await tcp.receive(length)).answer
            await tcp.send(b"\xff\xff")
            with pytest.raises(anyio.EndOfStream):
                await tcp.receive()


async def test_pools_are_told_to_the_nodes_too(serving):
    pool = {"name": f"app.{BASE}", "addresses": ["192.0.2.1", "2001:db8::1"], "check": "tcp:9", "failures": 100}
    async with serving(pools=[pool]) as server:
        assert await values(f"app.{BASE}") == ["192.0.2.1"]
        netmap = await (await (await desk(server)).poll()).until(
            lambda netmap: len(netmap.rest.get("DNSConfig", {}).get("ExtraRecords", ())) == 2
        )
        assert netmap.rest["DNSConfig"]["ExtraRecords"][0] == {"Name": f"app.{BASE}", "Value": "192.0.2.1"}


async def test_what_it_counts_is_told(serving):
    async with serving():
        await ask(BASE, "SOA")
        figures = {figure.name: figure.samples for figure in plugin.hatsize_metrics()}
        assert [(sample.value, sample.labels) for sample in figures["hatsize_dns_responses"]] == [
            (1, {"rcode": "NOERROR"})
        ]
