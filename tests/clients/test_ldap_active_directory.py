"""Real clients whose users are in Active Directory: a domain controller as Samba is one."""

from collections.abc import Iterator, Mapping

import pytest

from hatsize.server.tls import self_signed
from tests.clients.lab import requirements, samba
from tests.clients.lab.client import Client
from tests.clients.lab.form import fill_in
from tests.clients.lab.laboratory import Lab, laboratory
from tests.clients.lab.samba import DomainController
from tests.clients.lab.server import Hatsize

SYNCED = 20.0
POLICY = {
    "grants": [{"src": ["group:vpn-users@ad.example.com"], "dst": ["tag:web"], "ip": ["*"]}],
    "tagOwners": {"tag:web": []},
}


class InDomain(Hatsize):
    """Users are the domain's; who is not in `VPN users`, by whatever other group, may not log in."""

    def prepare(self) -> None:
        self.files = self_signed(self.hub.directory / "tls", [self.hub.address])
        self.domain = DomainController(self.hub, (self.files.certificate, self.files.key))

    def environment(self) -> Mapping[str, str]:
        return {
            **super().environment(),
            "HATSIZE_PLUGINS_ENABLED": "ldap",
            "HATSIZE_PLUGINS_LDAP_LOGIN_SCHEMA": "active-directory",
            "HATSIZE_PLUGINS_LDAP_SERVERS": self.domain.url,
            "HATSIZE_PLUGINS_LDAP_CA_FILE": str(self.files.certificate),
            "HATSIZE_PLUGINS_LDAP_BASE_DN": samba.BASE,
            "HATSIZE_PLUGINS_LDAP_BIND_DN": samba.ADMIN,
            "HATSIZE_PLUGINS_LDAP_BIND_PASSWORD": samba.PASSWORD,
            "HATSIZE_PLUGINS_LDAP_ALLOWED_GROUPS": "VPN users",
            "HATSIZE_PLUGINS_LDAP_SYNC_INTERVAL_SECONDS": "2",
        }


@pytest.fixture(scope="module")
def lab(programs: None) -> Iterator[Lab]:
    if lacks := samba.missing():
        (pytest.fail if requirements.required() else pytest.skip)(f"a domain controller needs {', '.join(lacks)}")
    with laboratory(InDomain) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def domain(lab: Lab) -> DomainController:
    """Ann is in `dev`, which is in `VPN users`, which is in `dev` again; Bob is in no group."""
    assert isinstance(lab.server, InDomain)
    domain = lab.server.domain
    for name in ("ann", "bob"):
        domain.add_user(name)
    domain.add_group("dev", "ann")
    domain.add_group("VPN users", "dev")
    domain.tool("group", "addmembers", "dev", "VPN users")
    return domain


def log_in(client: Client, url: str, username: str, password: str) -> tuple[int, str]:
    return client.machine.call(fill_in, url, username, password)


def test_who_is_in_a_group_of_an_allowed_group_joins_and_policies_know_it(lab: Lab, domain: DomainController) -> None:
    lab.server.set_policy(POLICY)
    web, client = lab.client("web"), lab.client("of-ann")
    web.up(lab.server.url, lab.server.auth_key("lab", "--tags", "tag:web"))
    url = client.begin_web_login(lab.server.url)
    status, page = log_in(client, url, "ann@ad.example.com", "ann-Secret-1")
    assert (status, "This machine is in" in page) == (200, True), page
    client.end_login()
    client.wait_state("Running")
    client.wait_peer(web.name)


def test_others_are_told_that_they_may_not(lab: Lab, domain: DomainController) -> None:
    client = lab.client("of-bob")
    url = client.begin_web_login(lab.server.url)
    status, page = log_in(client, url, "bob", "bob-Secret-1")
    assert (status, "in none of the groups that may join" in page) == (403, True), page


def test_a_disabled_account_loses_access_and_regains_it(lab: Lab, domain: DomainController) -> None:
    client = next(client for client in lab.clients if client.name == "of-ann")
    domain.tool("user", "disable", "ann")
    client.wait_state("NeedsLogin", within=SYNCED)
    url = client.begin_web_login(lab.server.url)
    status, page = log_in(client, url, "ann", "ann-Secret-1")
    assert (status, "This account is disabled." in page) == (403, True), page
    domain.tool("user", "enable", "ann")
    assert log_in(client, url, "ann", "ann-Secret-1")[0] == 200
    client.end_login()
    client.wait_state("Running")
