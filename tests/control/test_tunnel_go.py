"""The tunnel as the Go client's own library sees it: handshake, echoes, a big stream, and a poll beside requests."""

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest

from hatsize.control.tunnel import PATH, UPGRADE, Tunnel
from hatsize.server.listener import Listener
from hatsize.server.tls import build_context, self_signed
from hatsize.wire.keys import PrivateKey, machine_key

pytestmark = [pytest.mark.anyio, pytest.mark.clients, pytest.mark.slow, pytest.mark.timeout(300)]
SOURCE = Path(__file__).parents[1] / "clients" / "go" / "tunnel"


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    if shutil.which("go") is None:
        pytest.skip("needs Go to build the client")
    made = tmp_path_factory.mktemp("tunnel") / "tunnel"
    subprocess.run(["go", "build", "-o", str(made), "."], cwd=SOURCE, check=True)
    return str(made)


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request):
    return "asyncio", {"use_uvloop": request.param}


class Inner:
    """The routes the program asks for."""

    def __init__(self):
        self.sink = None

    async def __call__(self, scope, receive, send):
        body = (await receive())["body"]
        if scope["path"] == "/poll":
            self.sink = scope["extensions"]["hatsize.sink"]()
            self.sink.write(b"line\n")
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if scope["path"] == "/big":
            for _ in range(int(body)):
                await send({"type": "http.response.body", "body": bytes(1 << 16), "more_body": True})
            body = b""
        await send({"type": "http.response.body", "body": body})
        if self.sink:
            self.sink.write(b"line\n")


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_the_go_client_is_content(program, tmp_path, scheme):
    key, inner = PrivateKey.generate(), Inner()
    tunnel = Tunnel(key, inner)
    context = build_context(self_signed(tmp_path, ["127.0.0.1"]))
    listener = Listener(inner, {(PATH, UPGRADE): tunnel}, context)
    await listener.start("127.0.0.1", 0)
    try:
        url = f"{scheme}://{listener.addresses[0]}"
        client = await asyncio.create_subprocess_exec(
            program, url, machine_key(key.public), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        said, _ = await client.communicate()
        assert said.decode().splitlines()[-1] == "ok", said.decode()
    finally:
        await tunnel.close()
        await listener.stop(0.1)
