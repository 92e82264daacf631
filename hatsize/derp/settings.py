"""What a relay on its own is told: its mesh, whom to admit, which names to publish, whom to run as."""

from dataclasses import dataclass, field
from pathlib import Path

from hatsize.derp.hosts import is_host
from hatsize.derp.http_client import is_url
from hatsize.derp.limits import Limits
from hatsize.derp.mesh import MeshPeer


class SettingsError(Exception):
    """A setting that cannot be used; the message names it and the mend."""


@dataclass(frozen=True, slots=True)
class RelayAcme:
    """How a relay on its own gets its certificate from an ACME server."""

    domains: tuple[str, ...]
    email: str = ""
    url: str = ""
    """The authority's directory; empty for the usual one."""
    challenge: str = "tls-alpn-01"
    """Or `http-01`."""
    ca_file: Path | None = None
    """Certificates to trust the ACME server by, where it is a private one."""


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Every setting of `hatsize derp`."""

    data_dir: Path
    """Where the relay's private key and a self-signed certificate are kept."""
    listen: tuple[tuple[str, int], ...] = (("0.0.0.0", 443), ("::", 443))  # noqa: S104 - a relay is for everybody
    """Hosts and ports for TLS and plain HTTP."""
    http_listen: tuple[tuple[str, int], ...] = ()
    """Further ones, such as port 80 for captive portal checks; of several processes the first has them."""
    stun: tuple[tuple[str, int], ...] = (("0.0.0.0", 3478), ("::", 3478))  # noqa: S104
    host_names: tuple[str, ...] = ("localhost",)
    """What a self-signed certificate is for."""
    certificate: Path | None = None
    certificate_key: Path | None = None
    acme: RelayAcme | None = None
    mesh_key_file: Path | None = None
    mesh_with: tuple[MeshPeer, ...] = ()
    mesh_ca_file: Path | None = None
    """The authority of the other relays' certificates, where it is a private one."""
    verify_client_url: str = ""
    verify_fail_open: bool = False
    verify_again: float = 300
    """Seconds in which every client that is connected is asked about once more; 0 for never."""
    bootstrap_names: tuple[str, ...] = ()
    user: str = ""
    """Whom to become once the ports are open."""
    limits: Limits = field(default_factory=Limits)
    processes: int = 1
    """How many share the port, each with a processor of its own to use."""

    def __post_init__(self) -> None:
        if self.mesh_with and self.mesh_key_file is None:
            raise SettingsError("a mesh needs a key: give --mesh-key-file, the same on every relay of the region")
        if (self.certificate is None) != (self.certificate_key is None):
            raise SettingsError("a certificate needs its key and a key its certificate: give both files or neither")
        if self.verify_client_url and not is_url(self.verify_client_url):
            raise SettingsError(f"--verify-client-url {self.verify_client_url!r} is no URL: write https://HOST/verify")
        for name in self.bootstrap_names:
            if not is_host(name):
                raise SettingsError(f"--bootstrap-dns {name!r} is no name that DNS could have")
        if self.acme is not None:
            self._check_acme(self.acme)
        if self.processes > 1 and self.mesh_key_file is not None:
            raise SettingsError("several processes mesh with each other only: give --processes or --mesh-key-file")

    def _check_acme(self, acme: RelayAcme) -> None:
        if self.certificate is not None:
            raise SettingsError("a certificate is given as files already: give --acme-domain or --cert-file")
        if acme.challenge == "http-01" and not self.http_listen:
            raise SettingsError("http-01 is asked over plain HTTP: give --http-listen 0.0.0.0:80 too")
        if acme.challenge != "http-01" and self.processes > 1:
            raise SettingsError(f"{acme.challenge} asks one of the processes only: give --acme-challenge http-01")


def read_mesh_key(path: Path) -> str:
    """The 64 hexadecimal digits in a mesh key file; white space around them is ignored."""
    try:
        text = path.read_text().strip()
    except OSError as error:
        raise SettingsError(f"cannot read the mesh key file {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        text = ""
    if len(text) != 64 or not set(text) <= set("0123456789abcdef"):
        raise SettingsError(f"{path} holds no mesh key: write 64 hexadecimal digits, as from `openssl rand -hex 32`")
    return text
