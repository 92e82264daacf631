"""Relays on machines of their own, ours and Tailscale's, and the DERP map that leads to them."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hatsize.server.tls import CertificateFiles, pin, self_signed
from tests.clients.lab.binaries import DERPER
from tests.clients.lab.daemon import Daemon
from tests.clients.lab.logs import tail
from tests.clients.lab.namespaces import Namespace
from tests.clients.lab.server import hatsize
from tests.clients.lab.waiting import eventually

START_DEADLINE = 30.0
MESH_KEY = "5a" * 32
DARK = """
table inet lab_dark {
  chain inward { type filter hook input priority 0; drop; }
}
"""
WALL = """
table inet lab_wall {{
  chain outward {{ type filter hook output priority 0; ip daddr {address} reject; }}
}}
"""


class Relay(ABC):
    """A relay at ports 443 and 3478, with a certificate that the map pins; `meshed` are the others of its region."""

    def __init__(self, machine: Namespace) -> None:
        self.machine = machine
        self.log = machine.directory / "relay.log"
        self.certificate = self_signed(machine.directory / "relay", [machine.address])
        self.mesh_key = machine.directory / "mesh.key"
        self.mesh_key.write_text(MESH_KEY)
        self.meshed: Sequence[Relay] = ()

    @abstractmethod
    def argv(self) -> list[str]: ...

    def environment(self) -> Mapping[str, str]:
        return {}

    def start(self) -> None:
        self.daemon = Daemon(self.machine, *self.argv(), log=self.log, env=self.environment())
        eventually(self._listens, f"{self.machine.name} relays", within=START_DEADLINE, evidence=self.evidence)

    def fail(self) -> None:
        """Die, and the whole machine with it: clients would take one that answers pings for a relay."""
        self.daemon.kill()
        self.machine.run("nft", DARK)

    def recover(self) -> None:
        """Take `fail` back."""
        self.machine.run("nft", "delete table inet lab_dark")
        self.start()

    def evidence(self) -> str:
        return tail(self.log)

    def node(self, region: int, letter: str = "a") -> dict[str, Any]:
        """Its entry in a DERP map."""
        return {
            "Name": f"{region}{letter}",
            "RegionID": region,
            "HostName": self.machine.address,
            "IPv4": self.machine.address,
            "IPv6": "none",
            "CertName": pin(self.certificate.certificate),
        }

    def trusted(self) -> Path:
        """A file with the certificates of those it meshes with."""
        path = self.machine.directory / "trusted.pem"
        path.write_text("".join(other.certificate.certificate.read_text() for other in self.meshed))
        return path

    def _listens(self) -> bool:
        assert self.daemon.is_running(), "the relay has ended"
        return ":443 " in self.machine.run("ss", "-Hltn")


class OurRelay(Relay):
    """`hatsize derp`."""

    def argv(self) -> list[str]:
        address = self.machine.address
        flags = ["--listen", f"{address}:443", "--stun", f"{address}:3478", "--hostname", address]
        flags += ["--data-dir", str(self.certificate.certificate.parent)]
        if self.meshed:
            flags += ["--mesh-key-file", str(self.mesh_key), "--mesh-ca-file", str(self.trusted())]
            flags += [word for other in self.meshed for word in ("--mesh-with", f"https://{other.machine.address}")]
        return [hatsize(), "derp", *flags]


class Derper(Relay):
    """Tailscale's own, with our certificate under the name it looks for."""

    def argv(self) -> list[str]:
        address = self.machine.address
        named = self._named_after(address)
        flags = ["-a", f"{address}:443", "-http-port", "-1", "-c", str(self.machine.directory / "derper.json")]
        flags += ["-certmode", "manual", "-certdir", str(named.certificate.parent), "-hostname", address]
        if self.meshed:
            flags += ["-mesh-psk-file", str(self.mesh_key)]
            flags += ["-mesh-with", ",".join(other.machine.address for other in self.meshed)]
        return [str(DERPER.path), *flags]

    def environment(self) -> Mapping[str, str]:
        return {"SSL_CERT_FILE": str(self.trusted())}

    def _named_after(self, address: str) -> CertificateFiles:
        folder = self.certificate.certificate.parent
        named = CertificateFiles(folder / f"{address}.crt", folder / f"{address}.key")
        named.certificate.write_bytes(self.certificate.certificate.read_bytes())
        named.key.write_bytes(self.certificate.key.read_bytes())
        return named


def region(number: int, *relays: Relay) -> dict[str, Any]:
    """A region of a DERP map; clients try its relays in this order."""
    nodes = [relay.node(number, letter) for relay, letter in zip(relays, "abc", strict=False)]
    return {"RegionID": number, "RegionCode": f"lab-{number}", "RegionName": f"Lab {number}", "Nodes": nodes}


def write_map(path: Path, *regions: Mapping[str, Any]) -> None:
    """Put a DERP map into a file, whole or not at all."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps({"Regions": {str(each["RegionID"]): each for each in regions}}))
    part.replace(path)


def wall_off(machine: Namespace, relay: Relay) -> None:
    """Let a machine reach a relay no more."""
    machine.run("nft", WALL.format(address=relay.machine.address))
