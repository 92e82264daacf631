"""Tailscale SSH: sessions the policy accepts, refuses, holds for a check, and ends."""

import re
from urllib.parse import urlsplit

import pytest

from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import Client
from tests.clients.lab.commands import CommandError
from tests.clients.lab.daemon import Daemon
from tests.clients.lab.laboratory import Lab
from tests.clients.lab.logs import tail
from tests.clients.lab.waiting import eventually

AT_ONCE = 5.0
SSH_DEADLINE = 20.0
CHECK_URL = re.compile(r"https?://\S+/register/\S+")
SSH = ("ssh", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes")
ACCOUNT = "guest"
ALL = {"tagOwners": {"tag:server": []}, "grants": [{"src": ["*"], "dst": ["*"], "ip": ["*"]}]}
Clients = dict[str, Client]
both_versions = pytest.mark.parametrize("version", [OLDEST, NEWEST])


@pytest.fixture(scope="module")
def clients(lab: Lab) -> Clients:
    """By version a server with SSH; and a person's `laptop`."""
    lab.server.set_policy(ALL)
    laptop = lab.client("laptop")
    lab.join(laptop)
    servers = {version: lab.client(f"server-{version.replace('.', '-')}", version) for version in (OLDEST, NEWEST)}
    for server in servers.values():
        add_account(server)
        server.up(lab.server.url, lab.server.auth_key("lab", "--tags", "tag:server"), "--ssh")
        laptop.reach(server.name)
    return {"laptop": laptop, **servers}


def add_account(server: Client) -> None:
    """Give a server's machine an account besides root's."""
    for file, line in (("passwd", f"{ACCOUNT}:x:4242:4242::/tmp:/bin/sh"), ("group", f"{ACCOUNT}:x:4242:")):
        with server.machine.etc.joinpath(file).open("a") as lines:
            lines.write(f"{line}\n")


def rule(lab: Lab, action: str = "", users: tuple[str, ...] = ("root",), **more: object) -> None:
    """Put one SSH rule in force, or none."""
    found = {"action": action, "src": ["lab@"], "dst": ["tag:server"], "users": [*users], **more}
    lab.server.set_policy({**ALL, "ssh": [found]} if action else ALL)


def command_line(target: Client, *command: str, account: str = "root") -> tuple[str, ...]:
    return (*SSH, f"{account}@{target.addresses()[0]}", *command)


def says(clients: Clients, version: str, *command: str, account: str = "root") -> str:
    """What a command says that the laptop runs on a server; empty when it is not let in."""
    try:
        laptop = clients["laptop"].machine
        return laptop.run(*command_line(clients[version], *command, account=account), deadline=SSH_DEADLINE).strip()
    except CommandError:
        return ""


def wait_let_in(clients: Clients, version: str, account: str = "root") -> None:
    clients["laptop"].eventually(
        lambda: says(clients, version, "whoami", account=account) == account, "a session is let in", within=SSH_DEADLINE
    )


class Session:
    """A session under a check, which goes on in the background."""

    def __init__(self, clients: Clients, version: str, *command: str) -> None:
        self.log = clients["laptop"].machine.directory / "session.log"
        self.log.unlink(missing_ok=True)
        self._evidence = clients["laptop"].evidence
        self.daemon = Daemon(clients["laptop"].machine, *command_line(clients[version], *command), log=self.log)

    def said(self) -> str:
        return self.log.read_text()

    def check_url(self) -> str:
        """Where it tells its user to have the session approved."""

        def asked() -> str:
            match = CHECK_URL.search(self.said())
            return match[0] if match else ""

        return eventually(asked, "the session tells where it is approved", within=SSH_DEADLINE, evidence=self.evidence)

    def evidence(self) -> str:
        return f"{tail(self.log)}\n{self._evidence()}"


@both_versions
def test_an_accept_rule_lets_sessions_in_at_once(lab: Lab, clients: Clients, version: str) -> None:
    rule(lab, "accept")
    wait_let_in(clients, version)


@both_versions
def test_an_account_that_no_rule_names_is_refused(lab: Lab, clients: Clients, version: str) -> None:
    rule(lab, "accept", users=("autogroup:nonroot",))
    wait_let_in(clients, version, ACCOUNT)
    assert says(clients, version, "whoami") == ""


@both_versions
def test_without_the_ssh_section_no_session_begins_or_goes_on(lab: Lab, clients: Clients, version: str) -> None:
    rule(lab, "accept")
    wait_let_in(clients, version)
    session = Session(clients, version, "echo begun; sleep 60")
    clients["laptop"].eventually(lambda: "begun" in session.said(), "a session goes on", within=SSH_DEADLINE)
    rule(lab)
    assert session.daemon.wait(AT_ONCE) != 0
    assert says(clients, version, "true", "&&", "echo", "in") == ""


@both_versions
def test_a_session_under_check_waits_until_it_is_approved(lab: Lab, clients: Clients, version: str) -> None:
    rule(lab, "check")
    session = Session(clients, version, "echo welcome")
    url = session.check_url()
    status, page = lab.server.get(urlsplit(url).path)
    assert status == 200
    for told in ("laptop", clients[version].name, "root", "auth approve"):
        assert told in page
    assert session.daemon.is_running()
    assert "welcome" not in session.said()
    lab.server.cli("auth", "approve", "--auth-id", url.rsplit("/", 1)[-1])
    assert session.daemon.wait(SSH_DEADLINE) == 0, session.evidence()
    assert "welcome" in session.said()
    assert says(clients, version, "whoami") == "root", "approved for the rule's period"


@both_versions
def test_a_session_under_check_goes_on_when_the_api_approves_it(lab: Lab, clients: Clients, version: str) -> None:
    rule(lab, "check", checkPeriod="always")
    session = Session(clients, version, "echo welcome")
    auth_id = session.check_url().rsplit("/", 1)[-1]
    lab.server.api("POST", "/auth/approve", str(lab.server.cli("apikeys", "create")), {"authId": auth_id})
    assert session.daemon.wait(SSH_DEADLINE) == 0, session.evidence()
    assert "welcome" in session.said()


@both_versions
def test_a_session_whose_check_is_rejected_ends(lab: Lab, clients: Clients, version: str) -> None:
    rule(lab, "check", checkPeriod="always")
    session = Session(clients, version, "echo welcome")
    url = session.check_url()
    lab.server.cli("auth", "reject", "--auth-id", url.rsplit("/", 1)[-1])
    assert session.daemon.wait(SSH_DEADLINE) != 0
    assert "welcome" not in session.said()
    assert "rejected" in session.said()


@both_versions
def test_where_the_rule_says_always_each_session_is_checked(lab: Lab, clients: Clients, version: str) -> None:
    rule(lab, "check", checkPeriod="always")
    for _ in range(2):
        session = Session(clients, version, "echo welcome")
        lab.server.cli("auth", "approve", "--auth-id", session.check_url().rsplit("/", 1)[-1])
        assert session.daemon.wait(SSH_DEADLINE) == 0, session.evidence()


@both_versions
def test_variables_that_the_rule_accepts_are_taken_over(lab: Lab, clients: Clients, version: str) -> None:
    rule(lab, "accept", acceptEnv=["GREETING_*"])
    wait_let_in(clients, version)
    target = clients[version].addresses()[0]
    options = ("-o", "SetEnv=GREETING_WORD=hello OTHER_WORD=bye", f"root@{target}", "echo $GREETING_WORD$OTHER_WORD")
    assert clients["laptop"].machine.run(*SSH, *options, deadline=SSH_DEADLINE).strip() == "hello"
