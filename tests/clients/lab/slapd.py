"""OpenLDAP's server with a small company in it, as a process of its own in a folder of its own."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.clients.lab.commands import run
from tests.clients.lab.logs import tail

BASE = "dc=example,dc=com"
PEOPLE = f"ou=people,{BASE}"
GROUPS = f"ou=groups,{BASE}"
ADMIN = f"cn=admin,{BASE}"
SERVICE = f"cn=hatsize,{BASE}"
PASSWORD = "service-secret"
"""The administrator's and the service account's."""
START_DEADLINE = 10.0
SCHEMAS = ("core", "cosine", "nis", "inetorgperson")

CONFIGURATION = """
{schemas}
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload ppolicy
pidfile {folder}/slapd.pid
{tls}
database mdb
maxsize 16777216
suffix "{base}"
rootdn "{admin}"
rootpw {password}
directory {folder}/data
dbnosync
index objectClass,uid,entryUUID,member,memberUid eq
limits dn.exact="{service}" size=4 size.prtotal=unlimited
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{service}" read by self read by * none
overlay memberof
overlay ppolicy
ppolicy_default "cn=policy,{base}"
ppolicy_use_lockout
"""

COMPANY = f"""
dn: {BASE}
objectClass: dcObject
objectClass: organization
o: Example

dn: {PEOPLE}
objectClass: organizationalUnit

dn: {GROUPS}
objectClass: organizationalUnit

dn: {SERVICE}
objectClass: organizationalRole
objectClass: simpleSecurityObject
userPassword: {PASSWORD}

dn: cn=policy,{BASE}
objectClass: device
objectClass: pwdPolicy
pwdAttribute: userPassword
pwdLockout: TRUE
pwdMaxFailure: 3
pwdLockoutDuration: 300
"""

Launch = Callable[[Sequence[str]], list[str]]


class Slapd:
    """A directory under `dc=example,dc=com`, which a service account may read and nobody else.

    Args:
        launch: makes the command line that runs a command on the directory's machine.
        certificate: of the server, with its key; StartTLS and `ldaps_url` work with one.
        schema: more attributes and classes, as slapd.conf(5) has them.
    """

    def __init__(
        self,
        folder: Path,
        host: str,
        port: int,
        *,
        launch: Launch = list,
        certificate: tuple[Path, Path] | None = None,
        tls_port: int = 0,
        schema: str = "",
    ) -> None:
        self.folder = folder
        self.url = f"ldap://{host}:{port}"
        self.ldaps_url = f"ldaps://{host}:{tls_port}" if tls_port else ""
        self._launch = launch
        folder.joinpath("data").mkdir(parents=True)
        tls = "TLSCertificateFile {}\nTLSCertificateKeyFile {}".format(*certificate) if certificate else ""
        folder.joinpath("slapd.conf").write_text(
            CONFIGURATION.format(
                schemas="\n".join(f"include /etc/ldap/schema/{name}.schema" for name in SCHEMAS) + schema,
                folder=folder,
                tls=tls,
                base=BASE,
                admin=ADMIN,
                service=SERVICE,
                password=PASSWORD,
            )
        )
        self.start()
        self.add(COMPANY)

    # --- the process

    def start(self) -> None:
        """Serve, from what was there when it was stopped."""
        urls = " ".join(filter(None, (self.url, self.ldaps_url)))
        command = ["slapd", "-f", str(self.folder / "slapd.conf"), "-h", urls, "-d", "none"]
        with self.folder.joinpath("log").open("ab") as log:
            self._process = subprocess.Popen(self._launch(command), stdout=log, stderr=log)
        deadline = time.monotonic() + START_DEADLINE
        while not self._answers():
            assert time.monotonic() < deadline, f"slapd does not answer\n{tail(self.folder / 'log')}"
            assert self._process.poll() is None, f"slapd has ended\n{tail(self.folder / 'log')}"
            time.sleep(0.05)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)

    @contextmanager
    def hung(self) -> Iterator[None]:
        """Inside, it takes connections and answers nothing."""
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)

    def _answers(self) -> bool:
        return subprocess.run(self._tool("ldapwhoami"), capture_output=True, check=False).returncode == 0

    # --- what is in it

    def add(self, entries: str) -> None:
        """Put entries in, as LDIF."""
        self._feed("ldapadd", entries)

    def change(self, changes: str) -> None:
        """Make changes, as LDIF."""
        self._feed("ldapmodify", changes)

    def delete(self, dn: str) -> None:
        run(self._tool("ldapdelete", dn))

    def search_as_service(self, filter_: str) -> str:
        """What `ldapsearch` prints to the service account, all at once."""
        account = ["-D", SERVICE, "-w", PASSWORD]
        return run(self._launch(["ldapsearch", "-x", "-LLL", "-H", self.url, *account, "-b", BASE, filter_]))

    def add_person(self, name: str, password: str = "", **attributes: str) -> str:
        """A user whose password is their name with `-secret`, unless another one is given; their DN."""
        dn = f"uid={name},{PEOPLE}"
        lines = {"sn": name, "cn": name, "uid": name, "userPassword": password or f"{name}-secret", **attributes}
        own = "".join(f"{key}: {value}\n" for key, value in lines.items())
        self.add(f"dn: {dn}\nobjectClass: inetOrgPerson\n{own}")
        return dn

    def add_group(self, name: str, *members: str) -> str:
        """A groupOfNames of these DNs; its DN."""
        dn = f"cn={name},{GROUPS}"
        self.add(f"dn: {dn}\nobjectClass: groupOfNames\n" + "".join(f"member: {member}\n" for member in members))
        return dn

    def _feed(self, tool: str, text: str) -> None:
        with tempfile.NamedTemporaryFile("w", dir=self.folder, suffix=".ldif") as file:
            file.write(text)
            file.flush()
            run(self._tool(tool, "-f", file.name))

    def _tool(self, tool: str, *arguments: str) -> list[str]:
        return self._launch([tool, "-x", "-H", self.url, "-D", ADMIN, "-w", PASSWORD, *arguments])
