"""Keycloak on a machine of the lab, with one realm, set up as the plugin's page on providers says."""

import json
import shutil
import ssl
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

from hatsize.server.tls import self_signed
from tests.clients.lab.daemon import Daemon
from tests.clients.lab.logs import tail
from tests.clients.lab.maven import KEYCLOAK
from tests.clients.lab.namespaces import Namespace
from tests.clients.lab.waiting import eventually

REALM, CLIENT_ID, SECRET, PASSWORD = "lab", "hatsize", "lab-secret", "anything"
ADMIN = {"username": "admin", "password": "administrators"}
START_DEADLINE = 180.0
ASK_DEADLINE = 30.0
GROUPS = {
    "name": "groups",
    "protocol": "openid-connect",
    "protocolMapper": "oidc-group-membership-mapper",
    "config": {
        "claim.name": "groups", "full.path": "false", "id.token.claim": "true", "userinfo.token.claim": "true",
        "access.token.claim": "false",
    },
}  # fmt: skip


def missing() -> list[str]:
    """What keeps Keycloak from running here, in words."""
    lacks = [] if shutil.which("java") else ["the command java (Debian package default-jre-headless)"]
    return lacks + (
        [] if KEYCLOAK.is_there else [f"Keycloak {KEYCLOAK.version} (Maven: {KEYCLOAK.group}:{KEYCLOAK.name})"]
    )


class Keycloak:
    """Serves a realm over TLS, with a certificate of its own making.

    Args:
        server: the URL of the server whose people log in here.
        provider: what its settings call this one.
        people: by name the groups they are in; all of them have the same password.
    """

    def __init__(
        self, machine: Namespace, port: int, server: str, provider: str, people: Mapping[str, tuple[str, ...]]
    ) -> None:
        self._machine = machine
        self._base = f"https://{machine.address}:{port}"
        self.issuer = f"{self._base}/realms/{REALM}"
        folder = machine.directory / "keycloak"
        shutil.copytree(KEYCLOAK.folder / f"keycloak-{KEYCLOAK.version}", folder)
        self.certificate = self_signed(folder / "tls", [machine.address])
        realm = folder / "data" / "import" / "realm.json"
        realm.parent.mkdir(parents=True)
        realm.write_text(json.dumps(_realm(f"{server}/oidc/{provider}", people)))
        self._log = folder / "keycloak.log"
        self._daemon = Daemon(
            machine, "sh", str(folder / "bin" / "kc.sh"), "start-dev", "--import-realm",
            f"--http-host={machine.address}", f"--http-port={port + 1}", f"--https-port={port}",
            f"--hostname={self._base}", "--health-enabled=false",
            f"--https-certificate-file={self.certificate.certificate}",
            f"--https-certificate-key-file={self.certificate.key}",
            log=self._log,
            env={
                "KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN["username"], "KC_BOOTSTRAP_ADMIN_PASSWORD": ADMIN["password"],
                "JAVA_OPTS_KC_HEAP": "-Xms64m -Xmx512m",
            },
        )  # fmt: skip
        eventually(self._listens, "Keycloak listens", within=START_DEADLINE, evidence=lambda: tail(self._log))

    def change(self, name: str, **fields: Any) -> None:
        """Change fields of an account, as `enabled`."""
        self._ask("PUT", f"/users/{self._person(name)}", fields)

    def leave(self, name: str, group: str) -> None:
        self._ask("DELETE", f"/users/{self._person(name)}/groups/{self._group(group)}")

    def join(self, name: str, group: str) -> None:
        self._ask("PUT", f"/users/{self._person(name)}/groups/{self._group(group)}", {})

    def log_out(self, name: str) -> None:
        """End all of somebody's sessions."""
        self._ask("POST", f"/users/{self._person(name)}/logout", {})

    def _person(self, name: str) -> str:
        return str(self._ask("GET", f"/users?exact=true&username={name}")[0]["id"])

    def _group(self, name: str) -> str:
        return str(self._ask("GET", f"/groups?exact=true&search={name}")[0]["id"])

    def _listens(self) -> bool:
        assert self._daemon.is_running(), "Keycloak has ended"
        return "Listening on:" in self._log.read_text()

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        """What the realm's administration answers; None for nothing."""
        form = urllib.parse.urlencode({**ADMIN, "grant_type": "password", "client_id": "admin-cli"}).encode()
        token = self._machine.call(self._fetch, "POST", "/realms/master/protocol/openid-connect/token", form, {})
        headers = {"Authorization": f"Bearer {token['access_token']}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        return self._machine.call(self._fetch, method, f"/admin/realms/{REALM}{path}", data, headers)

    def _fetch(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> Any:
        trust = ssl.create_default_context(cafile=str(self.certificate.certificate))
        request = urllib.request.Request(f"{self._base}{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=ASK_DEADLINE, context=trust) as answer:
            said = answer.read()
        return json.loads(said) if said else None


def _realm(pages: str, people: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """The realm as Keycloak imports it; `pages` is where the plugin's pages for this provider begin."""
    client = {
        "clientId": CLIENT_ID,
        "secret": SECRET,
        "publicClient": False,
        "standardFlowEnabled": True,
        "directAccessGrantsEnabled": False,
        "redirectUris": [f"{pages}/callback"],
        "attributes": {
            "post.logout.redirect.uris": f"{pages}/logged-out",
            "backchannel.logout.url": f"{pages}/backchannel-logout",
            "backchannel.logout.session.required": "true",
        },
        "protocolMappers": [GROUPS],
    }
    groups = sorted({group for theirs in people.values() for group in theirs})
    users = [
        {
            "username": name,
            "email": f"{name}@example.com",
            "emailVerified": True,
            "firstName": name.title(),
            "lastName": "Lab",
            "enabled": True,
            "credentials": [{"type": "password", "value": PASSWORD, "temporary": False}],
            "groups": [f"/{group}" for group in theirs],
            "realmRoles": ["offline_access"],
        }
        for name, theirs in people.items()
    ]
    return {
        "realm": REALM,
        "enabled": True,
        "clients": [client],
        "groups": [{"name": group} for group in groups],
        "users": users,
    }
