"""Real clients resolve what the settings say, and go on to what they say next, without a restart."""

import json
import os
import signal
from collections.abc import Iterator

import pytest

from tests.clients.lab.binaries import CLIENT_VERSIONS
from tests.clients.lab.client import Client
from tests.clients.lab.laboratory import Lab, laboratory
from tests.clients.lab.server import Hatsize

SETTINGS = """
dns.extra_records_path = "{records}"
dns.search_domains = {search}
"""
HEARD_WITHIN = 15.0
Clients = list[Client]


class WithRecords(Hatsize):
    """A server with a file of records, and settings that a test writes anew."""

    def prepare(self) -> None:
        self.records = self.data.parent / "records.json"
        self.settings = self.data.parent / "hatsize.toml"
        self.write_records({"intranet.corp.example": "192.0.2.80"})
        self.write_settings("[]")

    def serve_argv(self) -> list[str]:
        return [*super().serve_argv(), "-c", str(self.settings)]

    def write_records(self, records: dict[str, str]) -> None:
        self.records.write_text(json.dumps([{"name": name, "value": value} for name, value in records.items()]))

    def write_settings(self, search: str) -> None:
        self.settings.write_text(SETTINGS.format(records=self.records, search=search))


@pytest.fixture(scope="module")
def lab(programs: None) -> Iterator[Lab]:
    with laboratory(WithRecords) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def server(lab: Lab) -> WithRecords:
    assert isinstance(lab.server, WithRecords)
    return lab.server


@pytest.fixture(scope="module")
def clients(lab: Lab) -> Clients:
    clients = [lab.client(f"client-{version.replace('.', '-')}", version) for version in CLIENT_VERSIONS]
    lab.join(*clients)
    return clients


def wait_resolved(clients: Clients, name: str, address: str) -> None:
    for client in clients:
        what = f"{client.name} resolves {name} as {address}"
        client.eventually(lambda client=client: client.resolve(name) == address, what, within=HEARD_WITHIN)


def test_a_record_of_the_file_is_resolved(clients: Clients) -> None:
    wait_resolved(clients, "intranet.corp.example", "192.0.2.80")


def test_an_edit_of_the_file_is_followed(clients: Clients, server: WithRecords) -> None:
    server.write_records({"intranet.corp.example": "192.0.2.81", "wiki.corp.example": "192.0.2.82"})
    wait_resolved(clients, "intranet.corp.example", "192.0.2.81")
    wait_resolved(clients, "wiki.corp.example", "192.0.2.82")


def test_a_bad_edit_keeps_what_was(clients: Clients, server: WithRecords) -> None:
    server.records.write_text("[{]")
    clients[0].eventually(
        lambda: "the former DNS records stay in force" in server.evidence(), "the log says so", within=HEARD_WITHIN
    )
    wait_resolved(clients, "wiki.corp.example", "192.0.2.82")


def test_a_search_domain_comes_by_reload(clients: Clients, server: WithRecords) -> None:
    server.write_records({"wiki.corp.example": "192.0.2.82"})
    server.write_settings('["corp.example"]')
    os.kill(server.daemon.pid, signal.SIGHUP)
    wait_resolved(clients, "wiki", "192.0.2.82")


def test_a_record_set_at_run_time_is_resolved_until_it_is_removed(clients: Clients, server: WithRecords) -> None:
    record = server.cli("dns", "records", "add", "printer.corp.example", "A", "192.0.2.90")
    wait_resolved(clients, "printer.corp.example", "192.0.2.90")
    server.cli("dns", "records", "remove", "-i", record["id"])
    wait_resolved(clients, "printer.corp.example", "")


def test_names_below_a_nodes_own_lead_to_it_where_the_policy_says_so(clients: Clients, server: WithRecords) -> None:
    *_, newest = clients
    everyone = {"src": ["*"], "dst": ["*"], "ip": ["*"]}
    attrs = {"target": ["autogroup:member"], "attr": ["dns-subdomain-resolve"]}
    name = f"wiki.{clients[0].full_name()}"
    assert newest.resolve(name) == ""
    server.set_policy({"grants": [everyone], "nodeAttrs": [attrs]})
    wait_resolved([newest], name, clients[0].addresses()[0])
