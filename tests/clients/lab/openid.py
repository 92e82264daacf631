"""A certified OpenID provider on a machine of the lab, and the people who have accounts with it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hatsize.server.tls import self_signed
from tests.clients.lab import npm
from tests.clients.lab.daemon import Daemon
from tests.clients.lab.logs import tail
from tests.clients.lab.namespaces import Namespace
from tests.clients.lab.waiting import eventually

SCRIPT = Path(__file__).with_name("openid_provider.mjs")
CLIENT_ID, SECRET = "hatsize", "lab-secret"
START_DEADLINE = 30.0


def missing() -> list[str]:
    """What keeps a provider from running here, in words."""
    lacks = [] if npm.node() else [f"Node.js {npm.OLDEST_NODE} or later (python -m tests.clients.lab.install)"]
    package = npm.OIDC_PROVIDER
    return lacks + ([] if package.is_there else [f"the npm package {package.name} {package.version}"])


class OpenIDProvider:
    """A provider with one confidential client, over TLS with a certificate of its own making.

    Args:
        callbacks: the URLs it may lead back to after a login.
        skew: by how many seconds its clock is ahead.
    """

    def __init__(self, machine: Namespace, port: int, callbacks: Sequence[str], *, skew: int = 0) -> None:
        self.issuer = f"https://{machine.address}:{port}"
        folder = machine.directory / f"openid-{port}"
        folder.mkdir()
        self._machine = machine
        self._log = folder / "provider.log"
        self._accounts = folder / "accounts.json"
        self.certificate = self_signed(folder / "tls", [machine.address])
        self.people: dict[str, dict[str, Any]] = {}
        self.write()
        client = {
            "client_id": CLIENT_ID,
            "client_secret": SECRET,
            "redirect_uris": list(callbacks),
            "post_logout_redirect_uris": [url.replace("/callback", "/logged-out") for url in callbacks],
            "backchannel_logout_uri": callbacks[0].replace("/callback", "/backchannel-logout"),
            "grant_types": ["authorization_code", "refresh_token"],
        }
        self._settings = folder / "settings.json"
        self._settings.write_text(
            json.dumps(
                {
                    "package": str(npm.OIDC_PROVIDER.folder / "node_modules/oidc-provider/lib/index.js"),
                    "issuer": self.issuer,
                    "host": machine.address,
                    "port": port,
                    "cert": str(self.certificate.certificate),
                    "key": str(self.certificate.key),
                    "clients": [client],
                    "accounts": str(self._accounts),
                    "skew": skew,
                }
            )
        )
        self.start()

    def start(self) -> None:
        self._log.write_text("")
        self._daemon = Daemon(self._machine, npm.node(), str(SCRIPT), str(self._settings), log=self._log)
        eventually(self._listens, f"{self.issuer} listens", within=START_DEADLINE, evidence=lambda: tail(self._log))

    def stop(self) -> None:
        self._daemon.kill()

    def log(self) -> str:
        return self._log.read_text()

    def person(self, name: str, *groups: str, **claims: Any) -> None:
        """Open an account, or change it."""
        address = {"email": f"{name}@example.com", "email_verified": True}
        self.people[name] = {"preferred_username": name, "name": name.title(), "groups": groups, **address, **claims}
        self.write()

    def remove(self, name: str) -> None:
        """Close an account."""
        del self.people[name]
        self.write()

    def write(self) -> None:
        temporary = self._accounts.with_suffix(".new")
        temporary.write_text(json.dumps(self.people))
        temporary.replace(self._accounts)

    def _listens(self) -> bool:
        assert self._daemon.is_running(), "the provider has ended"
        return "listening" in self._log.read_text()
