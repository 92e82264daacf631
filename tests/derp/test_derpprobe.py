"""Tailscale's own probe of relays, against ours: TLS, STUN on IPv4 and IPv6, packets through the relay."""

import json
import os
import socket
import subprocess
from pathlib import Path

import anyio
import pytest

from hatsize.derp.settings import RelaySettings
from hatsize.server.derp import run_derp
from tests.clients.lab import requirements

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


def derpprobe():
    folder = Path(os.environ.get("HATSIZE_BIN_DIR", Path.home() / ".cache/hatsize/bin"))
    found = sorted(folder.glob("derper-*/derpprobe"))
    if not found:
        (pytest.fail if requirements.required() else pytest.skip)(
            f"no derpprobe in {folder}: python -m tests.clients.lab.install makes it"
        )
    return found[-1]


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def test_derpprobe_finds_all_good(tmp_path):
    probe, port, stun = derpprobe(), free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM)
    node = {"Name": "900a", "RegionID": 900, "HostName": "localhost", "DERPPort": port, "STUNPort": stun}
    node |= {"IPv4": "127.0.0.1", "IPv6": "::1"}
    region = {"RegionID": 900, "RegionCode": "test", "RegionName": "Test", "Nodes": [node]}
    (tmp_path / "map.json").write_text(json.dumps({"Regions": {"900": region}}))
    settings = RelaySettings(
        tmp_path, listen=(("127.0.0.1", port), ("::1", port)), stun=(("0.0.0.0", stun), ("::", stun))
    )
    async with anyio.create_task_group() as group:
        group.start_soon(run_derp, settings)
        await anyio.sleep(1)
        command = [probe, "-once", "-spread=false", "-derp-map", f"file://{tmp_path}/map.json"]
        trusting = {**os.environ, "SSL_CERT_FILE": str(tmp_path / "self-signed.crt")}
        done = await anyio.run_process(command, env=trusting, check=False, stderr=subprocess.STDOUT)
        group.cancel_scope.cancel()
    said = done.stdout.decode()
    assert " bad: " not in said
    for probed in ("tls", "udp", "udp6", "900a/mesh"):
        assert f"/{probed}: " in said
    assert said.count(" good: ") >= 4
