"""Clients join through real reverse proxies, nginx and Caddy, that upgrade POST requests."""

import os
import shutil
import socket
import subprocess
import time

import pytest

from hatsize.server.tls import self_signed
from hatsize.testing.client import FakeClient
from hatsize.testing.server import free_port
from tests.clients.lab.requirements import required

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  map $http_upgrade $connection_upgrade {{ default upgrade; "" close; }}
  server {{
    listen 127.0.0.1:{port};
    listen 127.0.0.1:{tls_port} ssl;
    ssl_certificate {certificate}; ssl_certificate_key {key};
    location / {{
      proxy_pass http://127.0.0.1:{server};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_buffering off;
      proxy_read_timeout 1h;
    }}
  }}
}}
"""


CADDY = """
{{
  admin off
  auto_https off
  storage file_system {folder}
  log default {{
    output file {folder}/error.log
  }}
}}
http://127.0.0.1:{port} {{
  reverse_proxy 127.0.0.1:{server}
}}
https://127.0.0.1:{tls_port} {{
  tls {certificate} {key}
  reverse_proxy 127.0.0.1:{server}
}}
"""
AS_ROOT = ["-g", f"user {os.environ.get('USER', 'root')};"] if os.geteuid() == 0 else []
KINDS = {
    "nginx": (NGINX, lambda folder: ["-p", folder, "-c", "proxy.conf", "-e", f"{folder}/error.log", *AS_ROOT]),
    "caddy": (CADDY, lambda folder: ["run", "--adapter", "caddyfile", "--config", f"{folder}/proxy.conf"]),
}
"""What each program is told by a file, and on its command line."""


class Proxy:
    """A reverse proxy in front of one server."""

    def __init__(self, program, folder, server_port):
        folder.mkdir()
        self.port, self.tls_port = free_port(), free_port()
        files = self_signed(folder, ["127.0.0.1"])
        text, arguments = KINDS[program]
        (folder / "proxy.conf").write_text(
            text.format(
                folder=folder, port=self.port, tls_port=self.tls_port, server=server_port,
                certificate=files.certificate, key=files.key,
            )
        )  # fmt: skip
        environ = {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
        with (folder / "said").open("wb") as said:
            self.process = subprocess.Popen([program, *arguments(str(folder))], env=environ, stderr=said)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("".join(file.read_text() for file in (folder / "said", folder / "error.log")))

    def close(self):
        self.process.terminate()
        self.process.wait()


@pytest.fixture(params=sorted(KINDS))
def proxied(request, tmp_path):
    """Puts a proxy in front of a server."""
    if shutil.which(request.param) is None:
        missing = f"{request.param} is not installed: python -m tests.clients.lab.install"
        (pytest.fail if required() else pytest.skip)(missing)
    started = []

    def put(server):
        started.append(Proxy(request.param, tmp_path / "proxy", server.port))
        return started[-1]

    yield put
    for proxy in started:
        proxy.close()


async def join(server, proxy, name):
    client = await FakeClient.connect("127.0.0.1", proxy.port, hostname=name)
    answer = await client.register()
    await server.parts.registrar.approve(answer.AuthURL.rpartition("/")[2], 1, "test")
    await client.register(followup=answer.AuthURL)
    return client, await client.poll()


async def test_clients_join_and_see_each_other_through_the_proxy(hatsize_server, proxied):
    async with hatsize_server({"trusted_proxies": ["127.0.0.1"]}) as server:
        proxy = proxied(server)
        one, at_one = await join(server, proxy, "one")
        two, at_two = await join(server, proxy, "two")
        await at_one.until(lambda netmap: netmap.peer_names == ["two"])
        await two.report(endpoints=["192.0.2.1:1"])
        await at_one.until(lambda netmap: netmap.peer("two").get("Endpoints") == ["192.0.2.1:1"])
        await at_two.until(lambda netmap: netmap.peer("one").get("Online"))
        for client in (one, two):
            await client.transport.close()
