"""A client without a key is let in by its login page and the administrator's command line."""

from urllib.parse import urlsplit

import pytest

from tests.clients.lab.binaries import CLIENT_VERSIONS, NEWEST, OLDEST
from tests.clients.lab.commands import CommandError
from tests.clients.lab.laboratory import Lab


@pytest.mark.parametrize("version", CLIENT_VERSIONS)
def test_the_command_on_the_login_page_lets_the_client_in(lab: Lab, version: str) -> None:
    client = lab.client(f"web-{version.replace('.', '-')}", version)
    url = client.begin_web_login(lab.server.url)
    status, page = lab.server.get(urlsplit(url).path)
    assert status == 200
    assert "auth register" in page
    assert url.rsplit("/", 1)[-1] in page
    lab.server.register(url, user="alice")
    client.end_login()
    client.wait_state("Running")
    assert lab.server.node(client.name)["user"]["name"] == "alice"


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_an_approval_by_the_api_lets_the_client_in(lab: Lab, version: str) -> None:
    client = lab.client(f"api-{version.replace('.', '-')}", version)
    url = client.begin_web_login(lab.server.url)
    lab.server.user("alice")
    key = str(lab.server.cli("apikeys", "create"))
    answer = lab.server.api("POST", "/auth/register", key, {"user": "alice", "authId": url.rsplit("/", 1)[-1]})
    client.end_login()
    client.wait_state("Running")
    assert answer["node"]["ipAddresses"] == [*client.addresses()]


def test_who_waits_is_listed_until_somebody_has_decided(lab: Lab) -> None:
    client = lab.client("listed", NEWEST)
    url = client.begin_web_login(lab.server.url)
    (waiting,) = [each for each in lab.server.cli("auth", "list") if each["machine"] == client.name]
    assert waiting["authId"] == url.rsplit("/", 1)[-1]
    lab.server.register(url)
    client.end_login()
    assert client.name not in {each["machine"] for each in lab.server.cli("auth", "list")}


def test_a_login_that_nobody_began_is_refused_in_words(lab: Lab) -> None:
    with pytest.raises(CommandError, match=r"(?i)auth|not found"):
        lab.server.register(f"{lab.server.url}/register/hskey-authreq-nobodybeganthislogin0000")


def test_a_client_that_waits_is_no_node_yet(lab: Lab) -> None:
    client = lab.client("patient", NEWEST)
    url = client.begin_web_login(lab.server.url)
    assert client.state() == "NeedsLogin"
    assert client.name not in {node["name"] for node in lab.server.nodes()}
    lab.server.register(url)
    client.end_login()
