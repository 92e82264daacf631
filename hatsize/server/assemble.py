"""Puts a server's rooms together from its settings."""

from collections.abc import Sequence
from dataclasses import dataclass

from anyio import to_thread

from hatsize.builtin.magicdns import MagicDNS
from hatsize.control import machine
from hatsize.control.client_warnings import ClientWarnings
from hatsize.control.logins import Logins
from hatsize.control.pings import Pings
from hatsize.control.registration import Registrar
from hatsize.control.sessions import Hub
from hatsize.control.ssh_check import SSHChecks
from hatsize.control.tunnel import PATH, UPGRADE, Tunnel
from hatsize.derp.server import DerpServer
from hatsize.hooks.delivery import Delivery
from hatsize.live.services import Services, Terms
from hatsize.live.tailnet import LiveTailnet, utc_now
from hatsize.netmap.notices import Notices
from hatsize.policy.errors import PolicyError
from hatsize.server import outer
from hatsize.server.address import Place, place_of
from hatsize.server.aliases import Aliases
from hatsize.server.api_view import ApiView
from hatsize.server.certificates import Certificates
from hatsize.server.figures import CoreFigures
from hatsize.server.first_run import open_tailnet
from hatsize.server.listener import Listener
from hatsize.server.plugin_view import PluginView
from hatsize.server.plugins import mount, networks
from hatsize.server.policy_file import PolicyFile, words
from hatsize.server.records_file import RecordsFile, RecordsFileError
from hatsize.server.relay import RELAY_KEY, embedded_relay
from hatsize.server.relay_beside import RelayBeside
from hatsize.server.relay_map import RelayMap
from hatsize.server.relay_mesh import MeshHere
from hatsize.server.replica import ThisReplica, shared_key
from hatsize.server.request_counts import count_requests
from hatsize.server.secret_files import kept_key
from hatsize.server.settings import Settings
from hatsize.server.settings_problems import SettingProblem, SettingsError
from hatsize.server.tls import CertificateFiles, meta_certificate, pin, self_signed
from hatsize.tailnet.commands.waiting import WaitingRoom
from hatsize.wire.keys import PrivateKey, machine_key
from hatsize.wire.tailcfg import DNSRecord
from hatsize.wire.upgrade import Upgrader

NOISE_KEY = "noise.key"
RELAY = ("/derp", "DERP")


@dataclass(slots=True)
class Parts:
    """A server put together and not yet listening."""

    settings: Settings
    place: Place
    live: LiveTailnet
    hub: Hub
    registrar: Registrar
    tunnel: Tunnel
    relay: DerpServer | RelayBeside | None
    """In this process, or beside it."""
    relay_map: RelayMap
    listener: Listener
    """On TCP, for everybody."""
    local: Listener
    """On the Unix socket, for whoever may open it."""
    view: PluginView
    """The server as plugins see it."""
    delivery: Delivery
    """Carries events to plugins."""
    figures: CoreFigures
    policy_file: PolicyFile | None
    certificates: Certificates
    records: RecordsFile | None
    api: ApiView
    pings: Pings
    challenges: Listener | None = None
    """On the port where http-01 asks."""


async def assemble(settings: Settings, services: Services) -> Parts:
    """Put a server's rooms together."""
    place = place_of(settings)
    noise_key = await shared_key(services, "noise", kept_key(settings.data_dir / NOISE_KEY))
    relay_key = kept_key(settings.data_dir / RELAY_KEY)
    certificates = Certificates(_certificate(settings, place), meta_certificate(relay_key.public))
    pinned = "" if settings.tls.cert_file or settings.tls.acme.domains else pin(certificates.files.certificate)
    relay_map = RelayMap(settings, place, pinned)
    await relay_map.load()
    state = await to_thread.run_sync(open_tailnet, services.storage, settings.dns.base_domain, utc_now())
    live = LiveTailnet(state, services, terms(settings), relay_map)
    relay_map.follow(live)
    policy_file = await _policy_file(live, settings)
    records = records_file(settings, live)
    if records is not None:
        await _load_records(records)
    hub = Hub(live)
    logins = Logins(live)

    def login_url(auth_id: str) -> str:
        return f"{place.url}/register/{auth_id}"

    registrar = Registrar(live, logins, login_url)
    checks = SSHChecks(live, logins, login_url)
    pings = Pings(live, hub)
    warnings = ClientWarnings()
    live.listen(warnings.changed)
    inner_app = machine.app(live, hub, registrar, checks, pings, warnings=warnings)
    count_requests(inner_app.others, "tunnel", live.measures)
    tunnel = Tunnel(noise_key, inner_app, hub.door)
    relay = _relay(live, settings, relay_key, certificates)
    upgraders: dict[tuple[str, str], Upgrader] = {(PATH, UPGRADE): tunnel}
    if isinstance(relay, DerpServer):
        upgraders[RELAY] = relay.take
    api = ApiView(live, registrar, settings, policy_file, pings, warnings=warnings)
    meshed = MeshHere(relay) if isinstance(relay, DerpServer) else relay
    replica = ThisReplica(
        live,
        hub,
        tunnel=tunnel,
        pings=pings,
        relay=meshed,
        relay_key=relay_key.public.hex(),
        relay_map=relay_map,
        settings=settings,
    )
    view = PluginView(
        live, registrar, services.plugins, place.url, settings.data_dir, noise_key=noise_key, replica=replica
    )
    outer_app = outer.app(live, api, machine_key(noise_key.public), place.url, view)
    count_requests(outer_app, "public", live.measures)
    mount(services.plugins, view, outer_app)
    delivery = services.plugins.delivery(live.state)
    live.listen(delivery.changed)
    live.listen(Aliases(live).changed)
    live.attend(delivery.presence)
    figures = CoreFigures(live, hub, relay, delivery, services.plugins.ledger)
    services.plugins.add(figures, "core")
    listener = Listener(outer_app, upgraders, trusted_proxies=settings.trusted_proxies)
    certificates.serve_on(listener)
    local = Listener(outer.trusted(outer_app))
    return Parts(
        settings, place, live, hub, registrar, tunnel, relay, relay_map, listener, local, view, delivery, figures,
        policy_file, certificates, records, api, pings,
    )  # fmt: skip


def _relay(
    live: LiveTailnet, settings: Settings, key: PrivateKey, certificates: Certificates
) -> DerpServer | RelayBeside | None:
    """The server's own relay, if it is to have one."""
    if not settings.derp.enabled:
        return None
    if settings.derp.process:
        beside = RelayBeside(live, settings, certificates.files)
        certificates.elsewhere = beside.renew
        return beside
    return embedded_relay(live, key, verify_clients=settings.derp.verify_clients)


def records_file(settings: Settings, live: LiveTailnet) -> RecordsFile | None:
    """The watched file of DNS records, not read yet; its records reach the clients by MagicDNS."""
    if settings.dns.extra_records_path is None:
        return None
    magic_dns = next(provider for provider in live.services.dns if isinstance(provider, MagicDNS))

    def take(records: Sequence[DNSRecord]) -> None:
        magic_dns.watched = records
        live.settings_changed()

    return RecordsFile(settings.dns.extra_records_path, take)


async def _load_records(records: RecordsFile) -> None:
    """Read the records; SettingsError when that fails."""
    try:
        await records.load()
    except RecordsFileError as error:
        raise SettingsError([SettingProblem("dns.extra_records_path", "", str(error), "")]) from error


async def _policy_file(live: LiveTailnet, settings: Settings) -> PolicyFile | None:
    """The file the policy is read from, its policy in force; SettingsError when that is refused."""
    if settings.policy.file is None:
        return None
    file = PolicyFile(live, settings.policy.file)
    try:
        await file.load()
    except (OSError, PolicyError) as error:
        raise SettingsError([SettingProblem("policy.file", f'"{file.path}"', words(error), "")]) from error
    return file


def terms(settings: Settings) -> Terms:
    """The settings a live tailnet goes by."""
    v4, v6 = networks(settings)
    return Terms(
        base_domain=settings.dns.base_domain,
        domain=settings.dns.base_domain,
        v4=v4,
        v6=v6,
        key_expiry=settings.node.expiry or None,
        approval=settings.node.approval,
        ephemeral_timeout=settings.node.ephemeral_timeout,
        waiting_room=WaitingRoom(settings.logins.lifetime, settings.logins.limit),
        revoked_retention=settings.preauth_keys.revoked_retention,
        probe_interval=settings.node.routes.ha.probe_interval,
        probe_timeout=settings.node.routes.ha.probe_timeout,
        taildrop=settings.taildrop.enabled,
        logtail=settings.logtail.enabled,
        auto_update=settings.auto_update.enabled,
        notices=Notices(
            settings.clients.latest_version, settings.clients.urgent_below, settings.clients.server_addresses
        ),
    )


def _certificate(settings: Settings, place: Place) -> CertificateFiles:
    """The configured certificate, or one of our own that names every way the server may be reached by."""
    if settings.tls.cert_file and settings.tls.key_file:
        return CertificateFiles(settings.tls.cert_file, settings.tls.key_file)
    return self_signed(settings.data_dir, [place.host])
