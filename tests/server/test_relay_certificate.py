"""Certificates of `hatsize derp`: ordered by ACME, or read again when their files change."""

import shutil
import socket
from contextlib import asynccontextmanager
from types import SimpleNamespace

import anyio
import pytest

from hatsize.derp.settings import RelayAcme, RelaySettings, SettingsError
from hatsize.server.derp import run_derp, run_derps
from hatsize.server.tls import CertificateFiles, pin, self_signed
from hatsize.testing.server import free_port
from tests.server.test_reload import shown

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
DOMAIN = "derp1.example.com"


@asynccontextmanager
async def relaying(settings, run=run_derp):
    """A relay at a port of this machine."""
    port = settings.listen[0][1]
    async with anyio.create_task_group() as group:
        group.start_soon(run, settings)
        with anyio.fail_after(20):
            while not answers(port):  # noqa: ASYNC110 - a port
                await anyio.sleep(0.05)
        yield SimpleNamespace(host="127.0.0.1", port=port)
        group.cancel_scope.cancel()


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def comes_to_show(place, certificate):
    with anyio.fail_after(40):
        while not certificate.exists() or await shown(place) != pin(certificate):  # noqa: ASYNC110 - another's
            await anyio.sleep(0.1)


@pytest.mark.parametrize("challenge", ["tls-alpn-01", "http-01"])
async def test_a_relay_gets_its_certificate_and_keeps_it(pebble, tmp_path, challenge):
    acme = RelayAcme((DOMAIN,), "admin@example.com", pebble.url, challenge, pebble.ca_file)
    port = pebble.tls_port if challenge == "tls-alpn-01" else free_port()
    http = (("127.0.0.1", pebble.http_port),) if challenge == "http-01" else ()
    settings = RelaySettings(tmp_path / "derp", listen=(("127.0.0.1", port),), http_listen=http, stun=(), acme=acme)
    certificate = tmp_path / "derp" / "acme" / "certificate.pem"
    async with relaying(settings) as place:
        await comes_to_show(place, certificate)
    kept = certificate.read_bytes()
    async with relaying(settings) as place:
        assert await shown(place) == pin(certificate)
        assert certificate.read_bytes() == kept


async def test_all_processes_of_a_relay_show_the_certificate(pebble, tmp_path):
    acme = RelayAcme((DOMAIN,), "", pebble.url, "http-01", pebble.ca_file)
    listen, http = (("127.0.0.1", free_port()),), (("127.0.0.1", pebble.http_port),)
    settings = RelaySettings(tmp_path / "derp", listen=listen, http_listen=http, stun=(), acme=acme, processes=2)
    certificate = tmp_path / "derp" / "acme" / "certificate.pem"
    async with relaying(settings, run_derps) as place:
        await comes_to_show(place, certificate)
        await anyio.sleep(1.5)
        assert {await shown(place) for _ in range(16)} == {pin(certificate)}


async def test_a_certificate_that_somebody_renewed_is_shown_without_a_restart(tmp_path):
    first, second = (self_signed(tmp_path / name, [name]) for name in ("first", "second"))
    files = CertificateFiles(tmp_path / "chain.pem", tmp_path / "key.pem")
    shutil.copy(first.key, files.key)
    shutil.copy(first.certificate, files.certificate)
    listen = (("127.0.0.1", free_port()),)
    given = {"certificate": files.certificate, "certificate_key": files.key}
    async with relaying(RelaySettings(tmp_path / "derp", listen=listen, stun=(), **given)) as place:
        assert await shown(place) == pin(first.certificate)
        shutil.copy(second.key, files.key)
        shutil.copy(second.certificate, files.certificate)
        await comes_to_show(place, second.certificate)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"certificate": "chain.pem", "certificate_key": "key.pem"}, "--acme-domain or --cert-file"),
        ({"acme": RelayAcme((DOMAIN,), challenge="http-01")}, "give --http-listen 0.0.0.0:80 too"),
        ({"processes": 2}, "give --acme-challenge http-01"),
    ],
)
def test_what_cannot_work_is_refused_in_words(tmp_path, given, words):
    with pytest.raises(SettingsError, match=words):
        RelaySettings(tmp_path, **{"acme": RelayAcme((DOMAIN,)), **given})
