"""`hatsize derp`: a relay on its own, and how the relays of a map are."""

import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from hatsize.cli.failures import Failure, WrongSettings
from hatsize.cli.invocation import invocation
from hatsize.cli.nouns import HELP_NAMES, Noun

DATA_DIR = Path("derp")
"""Below the server's default data directory."""
VARIABLES = "HATSIZE_RELAY"
"""Every option is a variable too: `--mesh-key-file` is `HATSIZE_RELAY_MESH_KEY_FILE`."""
FILE = click.Path(path_type=Path)
EVERYWHERE = ("0.0.0.0:443", "[::]:443")
STUN = ("0.0.0.0:3478", "[::]:3478")
OPTIONS: Sequence[Callable[[Callable[..., Any]], Callable[..., Any]]] = (
    click.option("--listen", multiple=True, default=EVERYWHERE, show_default=True, help="Where to relay, TLS or not."),
    click.option(
        "--http-listen", multiple=True, help="A further address, such as 0.0.0.0:80 for captive portal checks."
    ),
    click.option(
        "--stun", multiple=True, default=STUN, show_default=True, help="Where to answer STUN; empty for nowhere."
    ),
    click.option("--hostname", multiple=True, help="A name or address for a self-signed certificate."),
    click.option("--cert-file", type=FILE, help="The certificate chain, PEM."),
    click.option("--key-file", type=FILE, help="The certificate's key, PEM."),
    click.option("--acme-domain", multiple=True, help="A name to get a certificate for from an ACME server."),
    click.option("--acme-email", default="", help="Whom that server may write to."),
    click.option("--acme-url", default="", help="The ACME server's directory, if not Let's Encrypt's."),
    click.option("--acme-challenge", type=click.Choice(["tls-alpn-01", "http-01"]), default="tls-alpn-01"),
    click.option("--acme-ca-file", type=FILE, help="The authority of the ACME server's own certificate."),
    click.option("--mesh-key-file", type=FILE, help="64 hex digits that all relays of the region share."),
    click.option("--mesh-with", multiple=True, help="Another relay of the region: https://HOST[:PORT] or unix:/PATH."),
    click.option("--mesh-ca-file", type=FILE, help="The authority of the other relays' certificates."),
    click.option("--verify-client-url", default="", help="A server to ask about each client: https://HOST/verify."),
    click.option("--verify-fail-open", is_flag=True, help="Let clients in while that server does not answer."),
    click.option(
        "--verify-again",
        default=300.0,
        show_default=True,
        type=click.FloatRange(0),
        metavar="SECONDS",
        help="How often it is asked about those who are connected; 0 for never.",
    ),
    click.option("--rate-limit", default=0, type=click.IntRange(0), help="Bytes a client may send in a second."),
    click.option("--rate-burst", type=click.IntRange(1), help="Bytes it may send at once where there is a limit."),
    click.option("--processes", default=1, type=click.IntRange(1, 64), help="How many processes share the ports."),
    click.option("--bootstrap-dns", multiple=True, help="A name whose addresses to publish to clients without DNS."),
    click.option("--user", default="", help="Whom to become once the ports are open."),
)


def _with_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(OPTIONS):
        function = option(function)
    return function


@click.command(
    "derp", cls=Noun, invoke_without_command=True, context_settings={**HELP_NAMES, "auto_envvar_prefix": VARIABLES}
)
@_with_options
@click.pass_context
def command(context: click.Context, /, **given: Any) -> None:
    """Run a DERP relay and STUN server alone, for this or another control server.

    Each option can be given as a variable too: HATSIZE_RELAY_MESH_KEY_FILE for --mesh-key-file.
    """
    if context.invoked_subcommand is None:
        _relay(given)


@command.verb("status")
@click.option("--map", "source", type=FILE, help="A DERP map in a file, JSON or YAML, instead of the server's.")
def status(source: Path | None) -> None:
    """Show how far each relay of the server's DERP map is from here, and what is wrong with it."""
    from hatsize.cli.derp_status import show_status

    show_status(source)


def _relay(given: dict[str, Any]) -> None:
    """Relay until told to stop."""
    import anyio

    from hatsize.derp.settings import SettingsError
    from hatsize.server.derp import run_derp, run_derps
    from hatsize.server.logs import configure_logs
    from hatsize.server.secret_files import SecretFileError
    from hatsize.server.tls import CertificateError

    configure_logs("info", "text")
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # what it asks for, a new certificate, is noticed anyway
    try:
        settings = _settings(given)
        run = run_derp if settings.processes == 1 else run_derps
        anyio.run(run, settings, backend_options={"use_uvloop": True})
    except (SettingsError, ValueError) as error:
        raise WrongSettings(str(error)) from None
    except (CertificateError, SecretFileError) as error:
        raise Failure(str(error)) from None
    except OSError as error:
        file = f"{error.filename}: " if error.filename else ""
        raise Failure(f"the relay cannot run: {file}{error.strerror or error}") from None


def _settings(given: dict[str, Any]) -> Any:
    """The options as the relay takes them; raises SettingsError or ValueError."""
    from hatsize.derp.limits import MIN_BURST, Limits
    from hatsize.derp.mesh import MeshPeer
    from hatsize.derp.settings import RelayAcme, RelaySettings
    from hatsize.server.settings_paths import default_data_dir

    rate = given["rate_limit"]
    acme = RelayAcme(*(given[f"acme_{name}"] for name in ("domain", "email", "url", "challenge", "ca_file")))
    return RelaySettings(
        data_dir=invocation().data_dir or default_data_dir() / DATA_DIR,
        listen=tuple(map(_address, given["listen"])),
        http_listen=tuple(map(_address, given["http_listen"])),
        stun=tuple(map(_address, filter(None, given["stun"]))),
        host_names=given["hostname"] or ("localhost",),
        certificate=given["cert_file"],
        certificate_key=given["key_file"],
        acme=acme if acme.domains else None,
        mesh_key_file=given["mesh_key_file"],
        mesh_with=tuple(map(MeshPeer.parse, given["mesh_with"])),
        mesh_ca_file=given["mesh_ca_file"],
        verify_client_url=given["verify_client_url"],
        verify_fail_open=given["verify_fail_open"],
        verify_again=given["verify_again"],
        bootstrap_names=given["bootstrap_dns"],
        user=given["user"],
        limits=Limits(bytes_per_second=rate, burst=given["rate_burst"] or max(rate, MIN_BURST)),
        processes=given["processes"],
    )


def _address(text: str) -> tuple[str, int]:
    from hatsize.server.settings_values import ListenAddress

    address = ListenAddress.parse(text)
    return address.host, address.port
