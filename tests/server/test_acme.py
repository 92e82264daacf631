"""Certificates from a real ACME test server, Pebble."""

from datetime import timedelta
from types import SimpleNamespace

import anyio
import pytest

from hatsize.server import acme, tls
from hatsize.server.acme import covers, until_due
from hatsize.server.acme_challenges import Challenges
from hatsize.server.certificates import Certificates
from hatsize.server.settings_sections import Acme
from hatsize.server.tls import pin, self_signed
from hatsize.testing.server import free_port
from tests.server.test_reload import shown

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
DOMAIN = "hatsize.example.com"


def settings(pebble, challenge, **more):
    asked_at = pebble.tls_port if challenge == "tls-alpn-01" else free_port()
    return {
        "listen": [f"127.0.0.1:{asked_at}"],
        "tls": {
            "acme": {
                "domains": [DOMAIN],
                "email": "admin@example.com",
                "url": pebble.url,
                "ca_file": str(pebble.ca_file),
                "challenge": challenge,
                "listen": f"127.0.0.1:{pebble.http_port}",
                **more,
            }
        },
    }


async def issued(server, tmp_path):
    """The certificate, once it is shown."""
    certificate = tmp_path / "hatsize" / "acme" / "certificate.pem"
    with anyio.fail_after(40):
        while not certificate.exists() or await shown_by(server) != pin(certificate):  # noqa: ASYNC110 - another's
            await anyio.sleep(0.1)
    return certificate


async def shown_by(server):
    """The pin of the certificate shown at the port that the settings name."""
    (address,) = server.parts.settings.listen
    return await shown(SimpleNamespace(host=address.host, port=address.port))


@pytest.mark.parametrize("challenge", ["tls-alpn-01", "http-01"])
async def test_a_certificate_is_had_and_kept(pebble, hatsize_server, tmp_path, challenge):
    async with hatsize_server(settings(pebble, challenge)) as server:
        certificate = await issued(server, tmp_path)
        assert server.parts.place.url == f"https://{DOMAIN}"
        assert server.parts.live.netmap.scene.derp_map(113).Regions[900].Nodes[0].CertName == ""
    kept = certificate.read_bytes()
    async with hatsize_server(settings(pebble, challenge)) as server:
        assert await shown_by(server) == pin(certificate)
        assert certificate.read_bytes() == kept
    assert (certificate.parent / "key.pem").stat().st_mode & 0o777 == 0o600


async def test_a_certificate_is_renewed_by_the_same_account(pebble, hatsize_server, tmp_path, monkeypatch):
    monkeypatch.setattr(acme, "LOOK_EVERY", 0.1)
    async with hatsize_server(settings(pebble, "tls-alpn-01")) as server:
        certificate = await issued(server, tmp_path)
        account, first = (certificate.parent / "account.pem").read_bytes(), pin(certificate)
        monkeypatch.setattr(acme, "until_due", lambda path: 0 if pin(path) == first else 3600)
        with anyio.fail_after(40):
            while await shown_by(server) == first:  # noqa: ASYNC110 - another's certificate
                await anyio.sleep(0.1)
        assert (certificate.parent / "account.pem").read_bytes() == account


def test_a_certificate_without_its_key_is_ordered_anew(tmp_path, caplog):
    certificates = Certificates(self_signed(tmp_path / "own", ["own"]), b"")
    renewal = acme.Renewal(Acme(domains=(DOMAIN,)), tmp_path, certificates, Challenges())
    assert not renewal.resume()
    self_signed(tmp_path, [DOMAIN]).certificate.rename(renewal.files.certificate)
    assert not renewal.resume()
    assert "is ordered anew" in caplog.text
    (tmp_path / "self-signed.key").rename(renewal.files.key)
    assert renewal.resume()
    assert certificates.files == renewal.files


async def test_a_refusal_is_told_and_the_server_goes_on(pebble, hatsize_server, tmp_path, caplog):
    given = settings(pebble, "tls-alpn-01")
    given["listen"] = [f"127.0.0.1:{free_port()}"]
    async with hatsize_server(given) as server:
        with anyio.fail_after(40):
            while f"no certificate for {DOMAIN}: {DOMAIN}: " not in caplog.text:  # noqa: ASYNC110 - a log
                await anyio.sleep(0.1)
        assert await shown_by(server) == pin(tmp_path / "hatsize" / "self-signed.crt")


async def test_an_authority_that_is_not_there_is_told(hatsize_server, caplog):
    url = f"https://127.0.0.1:{free_port()}/dir"
    async with hatsize_server({"tls": {"acme": {"domains": [DOMAIN], "url": url}}}):
        with anyio.fail_after(40):
            while f"no certificate for {DOMAIN}: " not in caplog.text:  # noqa: ASYNC110 - a log
                await anyio.sleep(0.1)


def test_a_certificate_is_judged_by_its_names_and_its_life(tmp_path):
    assert not covers(tmp_path / "gone.pem", (DOMAIN,))
    assert until_due(tmp_path / "gone.pem") == 0
    files = self_signed(tmp_path, [DOMAIN])
    assert covers(files.certificate, (DOMAIN,))
    assert not covers(files.certificate, (DOMAIN, "other.example.com"))
    assert until_due(files.certificate) > acme.LOOK_EVERY


def test_a_short_lived_certificate_is_due_when_a_third_of_its_life_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(tls, "LIFETIME", timedelta(seconds=43200 + 90))  # it is valid since a day ago
    day_and_a_half = self_signed(tmp_path, [DOMAIN]).certificate
    assert 0 < until_due(day_and_a_half) < 60
