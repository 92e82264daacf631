"""How the relays of a map are found."""

import asyncio
import hashlib
import re
import socket
import ssl

import msgspec
import pytest

from hatsize.derp import status
from hatsize.derp.map import PIN_PREFIX
from hatsize.derp.status import look_at
from hatsize.derp.stun import StunServer, stun_sockets
from hatsize.wire.tailcfg import DERPMap, DERPNode, DERPRegion

pytestmark = pytest.mark.anyio


@pytest.fixture
async def node(open_relay, certificate):
    """The map's entry of a relay that listens, pinned."""
    relay = await open_relay(certificate=certificate)
    stun = StunServer()
    stun.answer_on(*stun_sockets([("127.0.0.1", 0)]))
    der = ssl.PEM_cert_to_DER_cert(certificate.path.read_text())
    yield DERPNode(
        Name="900a",
        RegionID=900,
        HostName="localhost",
        IPv4="127.0.0.1",
        DERPPort=relay.port,
        STUNPort=stun.addresses[0][1],
        CertName=PIN_PREFIX + hashlib.sha256(der).hexdigest(),
    )
    stun.close()


def one(node, **changes):
    changed = msgspec.structs.replace(node, **changes)
    return DERPMap(Regions={900: DERPRegion(RegionID=900, RegionCode="t", RegionName="T", Nodes=[changed]), 901: None})


async def test_a_relay_that_is_well(node):
    (found,) = await look_at(one(node))
    assert found.problem == ""
    assert 0 < found.stun < 3
    assert 0 < found.relay < 3


async def test_another_certificate_than_the_pinned_one(node):
    (found,) = await look_at(one(node, CertName=PIN_PREFIX + "00" * 32))
    assert found.relay is None
    assert "not the one the map pins" in found.problem


async def test_a_certificate_nobody_vouches_for(node):
    (found,) = await look_at(one(node, CertName=""))
    assert "certificate verify failed" in found.problem
    (found,) = await look_at(one(node, CertName="", InsecureForTests=True))
    assert found.problem == ""


async def test_another_name_for_the_certificate(node, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    (found,) = await look_at(one(node, HostName="elsewhere.example", CertName=""))
    assert "Hostname mismatch" in found.problem
    (found,) = await look_at(one(node, HostName="elsewhere.example", CertName="localhost"))
    assert found.problem == ""


@pytest.mark.parametrize("name", ["a..example", "x" * 64 + ".example"])
async def test_a_name_that_is_none_is_told_in_words(node, name):
    (found,) = await look_at(one(node, HostName=name, IPv4=""))
    assert "DERP: its HostName is no name that DNS could have; correct it in the map" in found.problem


async def test_who_speaks_something_else_is_told_in_words(node, certificate):
    async def talk(_reader, writer):
        writer.write(b"220 " * 50_000)
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0, ssl=certificate) as server:
        (found,) = await look_at(one(node, DERPPort=server.sockets[0].getsockname()[1]))
    assert found.problem == "DERP: it answers at length instead of switching to DERP"


async def test_nobody_answers(node, monkeypatch):
    monkeypatch.setattr(status, "TIMEOUT", 0.2)
    (found,) = await look_at(one(node, DERPPort=1, STUNPort=1))
    assert (found.stun, found.relay) == (None, None)
    assert re.fullmatch(r"STUN: \S.*; DERP: \S.*", found.problem)


async def test_what_a_node_does_not_offer_is_no_problem(node):
    (found,) = await look_at(one(node, STUNPort=-1))
    assert (found.stun, found.problem) == (None, "")
    (found,) = await look_at(one(node, STUNOnly=True))
    assert (found.relay, found.problem) == (None, "")


async def test_silence_is_told_as_no_answer(node, monkeypatch):
    monkeypatch.setattr(status, "TIMEOUT", 0.2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        (found,) = await look_at(one(node, STUNPort=silent.getsockname()[1]))
    assert found.problem == "STUN: no answer"
