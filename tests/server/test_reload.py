"""A running server takes changed settings, all of them or none."""

import logging
import ssl

import anyio
import pytest

from hatsize.server.reload import Reloader
from hatsize.server.settings import Settings, SettingsError
from hatsize.server.settings_problems import SettingProblem
from hatsize.server.tls import pin, self_signed
from tests.testing.test_end_to_end import join

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


class Reading:
    """Settings that a test changes: those of a running server with other keys."""

    def __init__(self, server):
        self._former = server.parts.settings
        self.tree = {}
        self.reloader = Reloader(server.parts, self)

    def __call__(self):
        dumped = self._former.model_dump(by_alias=True)
        merged = {**dumped, **{name: {**dumped[name], **keys} for name, keys in self.tree.items()}}
        return Settings.model_validate(merged)

    async def now(self, **tree):
        self.tree = tree
        await self.reloader.reload()


async def test_dns_reaches_clients_that_are_connected(hatsize_server):
    async with hatsize_server() as server:
        _, stream = await join(server, "one")
        await Reading(server).now(dns={"nameservers": {"global": ["9.9.9.9"]}, "override_local_dns": True})
        await stream.until(lambda netmap: netmap.rest["DNSConfig"].get("Resolvers") == [{"Addr": "9.9.9.9"}])


async def test_switches_reach_clients_that_are_connected(hatsize_server):
    file_sharing = "https://tailscale.com/cap/file-sharing"
    async with hatsize_server() as server:
        _, stream = await join(server, "one")
        await stream.until(lambda netmap: file_sharing in netmap.own["CapMap"])
        assert stream.netmap.rest["Debug"] == {"DisableLogTail": True}
        await Reading(server).now(taildrop={"enabled": False}, auto_update={"enabled": True}, logtail={"enabled": True})
        await stream.until(lambda netmap: file_sharing not in netmap.own["CapMap"])
        assert stream.netmap.own["CapMap"]["default-auto-update"] == [True]
        assert stream.netmap.rest["DefaultAutoUpdate"] is True
        assert stream.netmap.rest["Debug"] == {}


async def test_the_file_of_records_is_followed(hatsize_server, tmp_path):
    file = tmp_path / "records.json"
    file.write_text('[{"name": "a.corp", "value": "192.0.2.1"}]')
    async with hatsize_server(settings={"dns": {"extra_records_path": str(file)}}) as server:
        _, stream = await join(server, "one")
        assert stream.netmap.rest["DNSConfig"]["ExtraRecords"] == [{"Name": "a.corp", "Value": "192.0.2.1"}]
        async with anyio.create_task_group() as tasks:
            Reading(server).reloader.start(tasks)
            await anyio.sleep(0.6)
            file.write_text('[{"name": "b.corp", "type": "AAAA", "value": "2001:db8::1"}]')
            await stream.until(lambda netmap: "b.corp" in str(netmap.rest["DNSConfig"]["ExtraRecords"]))
            tasks.cancel_scope.cancel()


async def test_a_derp_map_from_a_file_reaches_clients(hatsize_server, tmp_path):
    file = tmp_path / "derp.yaml"
    node = "{name: 7a, regionid: 7, hostname: relay.example.com}"
    file.write_text(f"Regions: {{7: {{RegionID: 7, RegionCode: own, RegionName: Own, Nodes: [{node}]}}}}")
    async with hatsize_server() as server:
        _, stream = await join(server, "one")
        await Reading(server).now(derp={"paths": [str(file)]})
        await stream.until(lambda netmap: "7" in netmap.rest["DERPMap"]["Regions"])


async def test_other_limits_are_in_force_at_once(hatsize_server):
    async with hatsize_server() as server:
        reading = Reading(server)
        await reading.now(logins={"limit": 5}, node={"expiry": "90d", "ephemeral_timeout": "1m"})
        terms = server.parts.live.terms
        assert (terms.waiting_room.limit, terms.key_expiry.days, terms.ephemeral_timeout.seconds) == (5, 90, 60)


async def test_trusted_proxies_are_others(hatsize_server):
    async with hatsize_server() as server:
        reading = Reading(server)
        former = server.parts.settings.model_dump(by_alias=True)
        reading.reloader = Reloader(
            server.parts, lambda: Settings.model_validate({**former, "trusted_proxies": ["192.0.2.7"]})
        )
        await reading.now()
        assert server.parts.listener.proxies.trusts("192.0.2.7")


async def test_one_bad_file_and_nothing_changes(hatsize_server, tmp_path, caplog):
    async with hatsize_server() as server:
        before = server.parts.settings
        await Reading(server).now(logins={"limit": 5}, dns={"extra_records_path": str(tmp_path / "gone.json")})
        assert server.parts.settings == before
        assert server.parts.live.terms.waiting_room.limit == 1024
        assert "the former settings stay in force" in caplog.text
        assert "gone.json cannot be read" in caplog.text


async def test_settings_that_cannot_be_read_change_nothing(hatsize_server, caplog):
    def unreadable():
        raise SettingsError([SettingProblem("dns.magic_dns", '"maybe"', "is not true or false", "hatsize.toml")])

    async with hatsize_server() as server:
        before = server.parts.settings
        await Reloader(server.parts, unreadable).reload()
        assert server.parts.settings == before
        assert 'stay in force: dns.magic_dns = "maybe" (hatsize.toml): is not true or false' in caplog.text


async def test_what_has_to_wait_is_named(hatsize_server, caplog):
    async with hatsize_server() as server:
        await Reading(server).now(stun={"enabled": True}, dns={"base_domain": "other.example"})
        assert "take effect at the next start: dns.base_domain, stun" in caplog.text
        assert server.parts.settings.dns.base_domain == "tailnet.internal"


async def test_a_certificate_is_replaced_while_the_server_runs(hatsize_server, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    files = self_signed(tmp_path / "certificates", ["one.example"])
    tls = {"cert_file": str(files.certificate), "key_file": str(files.key)}
    async with hatsize_server(settings={"tls": tls}) as server, anyio.create_task_group() as tasks:
        Reading(server).reloader.start(tasks)
        assert await shown(server) == pin(files.certificate)
        await anyio.sleep(0.6)
        files.key.write_text("no key")
        await until(lambda: "the former certificate stays in use" in caplog.text)
        files.key.unlink()
        new = self_signed(tmp_path / "certificates", ["two.example"])
        await until(lambda: "is in use" in caplog.text.rpartition("stays in use")[2])
        assert await shown(server) == pin(new.certificate)
        tasks.cancel_scope.cancel()


async def until(true):
    with anyio.fail_after(10):
        while not true():  # noqa: ASYNC110 - a log has no event
            await anyio.sleep(0.05)


async def shown(server):
    """The pin of the certificate that a client is shown."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    stream = await anyio.connect_tcp(server.host, server.port, ssl_context=context, tls_standard_compatible=False)
    async with stream:
        certificate = stream.extra(anyio.streams.tls.TLSAttribute.peer_certificate_binary)
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    return "sha256-raw:" + x509.load_der_x509_certificate(certificate).fingerprint(hashes.SHA256()).hex()
