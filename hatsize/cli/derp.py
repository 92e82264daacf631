"""`hatsize derp`: a relay on its own."""

from pathlib import Path

import click

from hatsize.cli.failures import Failure, WrongSettings
from hatsize.cli.invocation import invocation
from hatsize.cli.nouns import Verb

DATA_DIR = Path("derp")
"""Below the server's default data directory."""


@click.command("derp", cls=Verb)
@click.option(
    "--listen", multiple=True, default=("0.0.0.0:443",), show_default=True, help="Where to relay, TLS or not."
)
@click.option("--http-listen", multiple=True, help="A further address, such as 0.0.0.0:80 for captive portal checks.")
@click.option("--stun", default="0.0.0.0:3478", show_default=True, help="Where to answer STUN; empty for nowhere.")
@click.option("--hostname", multiple=True, help="A name or address for a self-signed certificate.")
@click.option("--cert-file", type=click.Path(path_type=Path), help="The certificate chain, PEM.")
@click.option("--key-file", type=click.Path(path_type=Path), help="The certificate's key, PEM.")
@click.option(
    "--mesh-key-file", type=click.Path(path_type=Path), help="64 hex digits that all relays of the region share."
)
@click.option("--mesh-with", multiple=True, help="Another relay of the region: https://HOST[:PORT] or unix:/PATH.")
@click.option(
    "--mesh-ca-file", type=click.Path(path_type=Path), help="The authority of the other relays' certificates."
)
@click.option("--verify-client-url", default="", help="A server to ask about each client, as https://HOST/verify.")
@click.option("--verify-fail-open", is_flag=True, help="Let clients in while that server does not answer.")
@click.option("--bootstrap-dns", multiple=True, help="A name whose addresses to publish to clients without DNS.")
@click.option("--user", default="", help="Whom to become once the ports are open.")
def command(  # noqa: PLR0917 - one argument an option
    listen: tuple[str, ...],
    http_listen: tuple[str, ...],
    stun: str,
    hostname: tuple[str, ...],
    cert_file: Path | None,
    key_file: Path | None,
    mesh_key_file: Path | None,
    mesh_with: tuple[str, ...],
    mesh_ca_file: Path | None,
    verify_client_url: str,
    verify_fail_open: bool,
    bootstrap_dns: tuple[str, ...],
    user: str,
) -> None:
    """Run a DERP relay and STUN server alone, for this or another control server."""
    import anyio

    from hatsize.derp.mesh import MeshPeer
    from hatsize.derp.settings import RelaySettings, SettingsError
    from hatsize.server.derp import run_derp
    from hatsize.server.logs import configure_logs
    from hatsize.server.secret_files import SecretFileError
    from hatsize.server.tls import CertificateError

    configure_logs("info", "text")
    try:
        settings = RelaySettings(
            data_dir=_data_dir(),
            listen=tuple(map(_address, listen)),
            http_listen=tuple(map(_address, http_listen)),
            stun=_address(stun) if stun else None,
            host_names=hostname or ("localhost",),
            certificate=cert_file,
            certificate_key=key_file,
            mesh_key_file=mesh_key_file,
            mesh_with=tuple(map(MeshPeer.parse, mesh_with)),
            mesh_ca_file=mesh_ca_file,
            verify_client_url=verify_client_url,
            verify_fail_open=verify_fail_open,
            bootstrap_names=bootstrap_dns,
            user=user,
        )
        anyio.run(run_derp, settings, backend_options={"use_uvloop": True})
    except (SettingsError, ValueError) as error:
        raise WrongSettings(str(error)) from None
    except (CertificateError, SecretFileError) as error:
        raise Failure(str(error)) from None
    except OSError as error:
        raise Failure(f"the relay cannot run: {error.strerror or error}") from None


def _data_dir() -> Path:
    from hatsize.server.settings_paths import default_data_dir

    return invocation().data_dir or default_data_dir() / DATA_DIR


def _address(text: str) -> tuple[str, int]:
    from hatsize.server.settings_values import ListenAddress

    address = ListenAddress.parse(text)
    return address.host, address.port
