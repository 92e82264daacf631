"""A domain controller of Active Directory, as Samba is one, on a machine of the lab."""

import shutil
from pathlib import Path

from tests.clients.lab.daemon import Daemon
from tests.clients.lab.logs import tail
from tests.clients.lab.namespaces import Namespace
from tests.clients.lab.waiting import eventually

DOMAIN = "ad.example.com"
BASE = "DC=ad,DC=example,DC=com"
ADMIN = f"CN=Administrator,CN=Users,{BASE}"
PASSWORD = "Administrators-1"
PROVISION_DEADLINE = 120.0
START_DEADLINE = 60.0
LDAPS = 636


def missing() -> list[str]:
    """What keeps a domain controller from running here, in words."""
    return [] if shutil.which("samba") else ["the command samba (Debian packages samba, samba-ad-provision)"]


class DomainController:
    """Serves the domain's directory alone, over LDAP and LDAPS.

    Args:
        certificate: in PEM form, with its key; for the machine's address.
    """

    def __init__(self, machine: Namespace, certificate: tuple[Path, Path]) -> None:
        self._machine = machine
        self._folder = machine.directory / "samba"
        self._log = machine.directory / "samba.log"
        self.url = f"ldaps://{machine.address}:{LDAPS}"
        options = {
            "server services": "ldap",
            "tls certfile": certificate[0],
            "tls keyfile": certificate[1],
            "tls cafile": certificate[0],
        }
        machine.run(
            "samba-tool", "domain", "provision", f"--realm={DOMAIN.upper()}", "--domain=LAB", "--server-role=dc",
            "--dns-backend=NONE", "--host-name=dc1", f"--host-ip={machine.address}", f"--adminpass={PASSWORD}",
            f"--targetdir={self._folder}", *(f"--option={name}={value}" for name, value in options.items()),
            deadline=PROVISION_DEADLINE,
        )  # fmt: skip
        self._daemon = Daemon(machine, "samba", "-i", "-M", "single", "-s", self._configuration, log=self._log)
        eventually(self._listens, "samba listens", within=START_DEADLINE, evidence=lambda: tail(self._log))

    @property
    def _configuration(self) -> str:
        return str(self._folder / "etc" / "smb.conf")

    def tool(self, *arguments: str) -> None:
        """Change the domain with `samba-tool`."""
        self._machine.run("samba-tool", *arguments, "-s", self._configuration)

    def add_user(self, name: str) -> None:
        """A user whose password is their name with `-Secret-1`."""
        self.tool("user", "create", name, f"{name}-Secret-1", f"--mail-address={name}@example.com")

    def add_group(self, name: str, *members: str) -> None:
        self.tool("group", "add", name)
        for member in members:
            self.tool("group", "addmembers", name, member)

    def _listens(self) -> bool:
        assert self._daemon.is_running(), "samba has ended"
        return f":{LDAPS} " in self._machine.run("ss", "-ltn")
