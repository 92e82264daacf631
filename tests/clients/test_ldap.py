"""Logging in with a directory's password on the page a real client names, and what becomes of its node afterwards."""

import shutil
from collections.abc import Iterator, Mapping

import pytest

from hatsize.server.tls import CertificateFiles, self_signed
from tests.clients.lab import browser, requirements, slapd
from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.browser import Browser
from tests.clients.lab.client import Client
from tests.clients.lab.form import fill_in
from tests.clients.lab.laboratory import Lab, laboratory
from tests.clients.lab.server import Hatsize
from tests.clients.lab.slapd import Slapd
from tests.clients.test_ssh import SSH_DEADLINE, Session

DIRECTORY_PORT, NOBODYS_PORT = 3389, 3390
SYNC_SECONDS = 2
SYNCED = 20.0
POLICY = {"grants": [{"src": ["group:dev@example.com"], "dst": ["tag:web"], "ip": ["*"]}], "tagOwners": {"tag:web": []}}
NOT_RIGHT, NOT_NOW = "is not right", "cannot be checked now"


class WithDirectory(Hatsize):
    """Two servers are set, the first of which is down; the second is an OpenLDAP on the hub."""

    def prepare(self) -> None:
        folder, address = self.hub.directory, self.hub.address
        self.files = self_signed(folder / "ldap-tls", [address])
        self.others = self_signed(folder / "other-tls", [address])
        self.trusted = self.files
        self.directory = Slapd(
            folder / "slapd",
            address,
            DIRECTORY_PORT,
            launch=lambda command: self.hub.argv(*command),
            certificate=(self.files.certificate, self.files.key),
        )
        self.hub.at_close.append(self.directory.stop)

    def environment(self) -> Mapping[str, str]:
        return {
            **super().environment(),
            "HATSIZE_PLUGINS_ENABLED": "ldap",
            "HATSIZE_PLUGINS_LDAP_SERVERS": f"ldap://{self.hub.address}:{NOBODYS_PORT},{self.directory.url}",
            "HATSIZE_PLUGINS_LDAP_CA_FILE": str(self.trusted.certificate),
            "HATSIZE_PLUGINS_LDAP_BASE_DN": slapd.BASE,
            "HATSIZE_PLUGINS_LDAP_BIND_DN": slapd.SERVICE,
            "HATSIZE_PLUGINS_LDAP_BIND_PASSWORD": slapd.PASSWORD,
            "HATSIZE_PLUGINS_LDAP_TIMEOUT_SECONDS": "2",
            "HATSIZE_PLUGINS_LDAP_SYNC_INTERVAL_SECONDS": str(SYNC_SECONDS),
        }

    def trust(self, files: CertificateFiles) -> None:
        """Start anew, with another certificate to verify the directory with."""
        self.stop()
        self.trusted = files
        self.start()


@pytest.fixture(scope="module")
def lab(programs: None) -> Iterator[Lab]:
    if not shutil.which("slapd"):
        (pytest.fail if requirements.required() else pytest.skip)("slapd is not there: Debian package slapd")
    with laboratory(WithDirectory) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def directory(lab: Lab) -> Slapd:
    assert isinstance(lab.server, WithDirectory)
    return lab.server.directory


@pytest.fixture(scope="module")
def web(lab: Lab) -> Client:
    """A machine that group `dev` alone may see."""
    lab.server.set_policy(POLICY)
    web = lab.client("web")
    web.up(lab.server.url, lab.server.auth_key("lab", "--tags", "tag:web"))
    return web


def log_in(client: Client, url: str, username: str, password: str) -> tuple[int, str]:
    """Fill in the page's form on the client's own machine; status and text of where it leads."""
    return client.machine.call(fill_in, url, username, password)


def joined(lab: Lab, name: str, username: str, version: str = NEWEST) -> Client:
    """A client that has joined by a user's password."""
    client = lab.client(name, version)
    url = client.begin_web_login(lab.server.url)
    status, page = log_in(client, url, username, f"{username}-secret")
    assert (status, "This machine is in" in page) == (200, True), page
    client.end_login()
    client.wait_state("Running")
    return client


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_the_right_password_lets_the_client_in_and_a_wrong_one_does_not(
    lab: Lab, directory: Slapd, version: str
) -> None:
    name = f"ann-{version.replace('.', '-')}"
    directory.add_person(name, mail=f"{name}@example.com")
    client = lab.client(f"of-{name}", version)
    url = client.begin_web_login(lab.server.url)
    status, page = log_in(client, url, name, "wrong")
    assert (status, NOT_RIGHT in page) == (403, True)
    assert client.state() == "NeedsLogin"
    status, page = log_in(client, url, name, f"{name}-secret")
    assert (status, "This machine is in" in page) == (200, True)
    client.end_login()
    client.wait_state("Running")
    assert lab.server.node(client.name)["user"]["email"] == f"{name}@example.com"


def test_the_form_works_in_a_browser(lab: Lab, directory: Slapd) -> None:
    if lacks := browser.missing():
        (pytest.fail if requirements.required() else pytest.skip)(f"a browser needs {', '.join(lacks)}")
    directory.add_person("hana")
    client = lab.client("of-hana")
    window = Browser(client.machine)
    window.open(client.begin_web_login(lab.server.url))
    window.wait_text(f"Log in and add {client.name}")
    for password, words in [("wrong", NOT_RIGHT), ("hana-secret", "This machine is in")]:
        window.type("#username", "hana")
        window.type("#password", password)
        window.click("form button")
        window.wait_text(words)
    client.end_login()
    client.wait_state("Running")


def test_groups_of_the_directory_count_in_policies_and_are_followed(lab: Lab, directory: Slapd, web: Client) -> None:
    bob = directory.add_person("bob")
    dev = directory.add_group("dev", bob, directory.add_person("placeholder"))
    client = joined(lab, "of-bob", "bob")
    client.wait_peer(web.name)
    directory.change(f"dn: {dev}\nchangetype: modify\ndelete: member\nmember: {bob}\n")
    client.wait_no_peer(web.name, within=SYNCED)
    directory.change(f"dn: {dev}\nchangetype: modify\nadd: member\nmember: {bob}\n")
    client.wait_peer(web.name, within=SYNCED)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_a_session_under_check_goes_on_after_its_owners_password(lab: Lab, directory: Slapd, version: str) -> None:
    name, others = f"sue-{version.replace('.', '-')}", f"tom-{version.replace('.', '-')}"
    for person in (name, others):
        directory.add_person(person)
    laptop = joined(lab, f"of-{name}", name)
    target = lab.client(f"held-{version.replace('.', '-')}", version)
    target.up(lab.server.url, lab.server.auth_key("lab", "--tags", "tag:web"), "--ssh")
    ssh = {"action": "check", "src": ["autogroup:member"], "dst": ["tag:web"], "users": ["root"]}
    lab.server.set_policy({**POLICY, "grants": [{"src": ["*"], "dst": ["*"], "ip": ["*"]}], "ssh": [ssh]})
    laptop.reach(target.name)
    session = Session({"laptop": laptop, version: target}, version, "echo welcome")
    url = session.check_url()
    status, page = log_in(laptop, url, others, f"{others}-secret")
    assert status == 403, page
    assert session.daemon.is_running()
    status, page = log_in(laptop, url, name, f"{name}-secret")
    assert (status, "was approved" in page) == (200, True), page
    assert session.daemon.wait(SSH_DEADLINE) == 0, session.evidence()
    assert "welcome" in session.said()
    lab.server.set_policy(POLICY)


def test_who_is_removed_from_the_directory_loses_access(lab: Lab, directory: Slapd) -> None:
    dn = directory.add_person("carl")
    client = joined(lab, "of-carl", "carl")
    directory.delete(dn)
    client.wait_state("NeedsLogin", within=SYNCED)
    url = client.begin_web_login(lab.server.url)
    assert log_in(client, url, "carl", "carl-secret")[0] == 403


def test_who_is_locked_loses_access_until_they_are_let_in_again(lab: Lab, directory: Slapd) -> None:
    dn = directory.add_person("dora")
    client = joined(lab, "of-dora", "dora")
    directory.change(f"dn: {dn}\nchangetype: modify\nadd: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n")
    client.wait_state("NeedsLogin", within=SYNCED)
    url = client.begin_web_login(lab.server.url)
    status, page = log_in(client, url, "dora", "dora-secret")
    assert (status, NOT_RIGHT in page) == (403, True)
    directory.change(f"dn: {dn}\nchangetype: modify\ndelete: pwdAccountLockedTime\n")
    assert log_in(client, url, "dora", "dora-secret")[0] == 200
    client.end_login()
    client.wait_state("Running")


def test_a_directory_that_is_down_is_said_to_be_and_nobody_loses_access(lab: Lab, directory: Slapd) -> None:
    directory.add_person("erik")
    running = joined(lab, "of-erik", "erik")
    client = lab.client("late")
    url = client.begin_web_login(lab.server.url)
    directory.stop()
    status, page = log_in(client, url, "erik", "erik-secret")
    assert (status, NOT_NOW in page) == (503, True)
    assert running.state() == "Running"
    directory.start()
    assert log_in(client, url, "erik", "erik-secret")[0] == 200
    client.end_login()
    assert running.state() == "Running"


def test_a_directory_that_hangs_is_given_up_and_holds_up_nobody_else(lab: Lab, directory: Slapd) -> None:
    directory.add_person("fay")
    client, other = lab.client("patient"), lab.client("hasty")
    url = client.begin_web_login(lab.server.url)
    with directory.hung():
        status, page = log_in(client, url, "fay", "fay-secret")
        assert (status, NOT_NOW in page) == (503, True)
        lab.join(other)
    assert log_in(client, url, "fay", "fay-secret")[0] == 200
    client.end_login()


def test_a_certificate_that_nobody_vouches_for_lets_nobody_in(lab: Lab, directory: Slapd) -> None:
    server = lab.server
    assert isinstance(server, WithDirectory)
    directory.add_person("gus")
    server.trust(server.others)
    client = lab.client("careful")
    url = client.begin_web_login(server.url)
    status, page = log_in(client, url, "gus", "gus-secret")
    assert (status, NOT_NOW in page) == (503, True)
    assert "certificate verify failed" in server.log.read_text()
    server.trust(server.files)
    assert log_in(client, url, "gus", "gus-secret")[0] == 200
    client.end_login()


def test_no_password_is_in_the_log(lab: Lab) -> None:
    assert "-secret" not in lab.server.log.read_text()
