"""A relay on its own, put together."""

import json
import socket

import anyio
import pytest

from hatsize.derp.admission import VerifyURL, everybody
from hatsize.derp.process import RelayProcess
from hatsize.derp.settings import RelaySettings
from hatsize.wire.keys import PrivateKey
from hatsize.wire.stun import build_request

pytestmark = pytest.mark.anyio


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def test_it_answers_stun_and_publishes_names_while_it_runs(tmp_path):
    port = free_port()
    settings = RelaySettings(tmp_path, stun=(("127.0.0.1", port),), bootstrap_names=("localhost",))
    process = RelayProcess(settings, PrivateKey.generate())
    process.listen()
    async with anyio.create_task_group() as group, await anyio.create_connected_udp_socket("127.0.0.1", port) as udp:
        group.start_soon(process.run)
        await udp.send(build_request(b"transaction!"))
        with anyio.fail_after(5):
            assert (await udp.receive())[8:20] == b"transaction!"
            await udp.send(build_request(b"transaction!"))
            assert await udp.receive()
        for _ in range(100):
            if process.names():
                break
            await anyio.sleep(0.01)
        group.cancel_scope.cancel()
    assert "127.0.0.1" in json.dumps(process.names()["localhost"])


async def test_a_stun_port_in_use_is_a_warning(tmp_path, caplog):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        RelayProcess(RelaySettings(tmp_path, stun=(("127.0.0.1", port),)), PrivateKey.generate()).listen()
    assert f"no STUN on 127.0.0.1 port {port}" in caplog.text


async def test_whom_it_admits_is_a_setting(tmp_path):
    plain = RelayProcess(RelaySettings(tmp_path), PrivateKey.generate())
    assert plain.server._admit is everybody
    asking = RelayProcess(RelaySettings(tmp_path, verify_client_url="https://control/verify"), PrivateKey.generate())
    assert isinstance(asking.server._admit, VerifyURL)


async def test_its_mesh_key_is_read_from_a_file(tmp_path):
    (tmp_path / "mesh.key").write_text("5a" * 32)
    process = RelayProcess(RelaySettings(tmp_path, mesh_key_file=tmp_path / "mesh.key"), PrivateKey.generate())
    assert process.server.mesh_key == "5a" * 32
