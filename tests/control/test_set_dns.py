"""A node asks for its ACME challenge to be published."""

import json

import anyio
import pytest

from hatsize.control import set_dns
from hatsize.hooks import hookimpl
from hatsize.hooks.dns import PublishError
from hatsize.testing.client import RefusedError

pytestmark = pytest.mark.anyio
NAME = "_acme-challenge.desk.tailnet.internal"


class Publisher:
    name = "paper"

    def __init__(self, *domains):
        self._domains = domains
        self.published = []
        self.trouble = None
        self.go_on = anyio.Event()
        self.go_on.set()

    def domains(self):
        return self._domains

    async def publish(self, node, name, record_type, value):
        await self.go_on.wait()
        if self.trouble:
            raise self.trouble
        self.published.append((node.given_name, name, record_type, value))

    @hookimpl
    def hatsize_register_challenge_publisher(self):
        return self


@pytest.fixture
def publisher(tailnet):
    made = Publisher("tailnet.internal")
    tailnet.services.plugins.add(made, "paper")
    return made


@pytest.fixture
async def client(tailnet, fake_client):
    async with fake_client("desk") as joined:
        await joined.register(await tailnet.auth_key())
        yield joined


async def ask(client, name=NAME, record_type="TXT", value="v-1"):
    body = {"NodeKey": client.node_key, "Name": name, "Type": record_type, "Value": value}
    return json.loads(await client.post("/machine/set-dns", json.dumps(body).encode()))


async def refusal(client, **wanted):
    with pytest.raises(RefusedError) as refused:
        await ask(client, **wanted)
    return refused.value.status, str(refused.value)


@pytest.mark.parametrize("name", [NAME, NAME + ".", NAME.upper()])
async def test_the_challenge_of_its_own_name_is_published(client, publisher, name):
    assert await ask(client, name=name) == {}
    assert publisher.published == [("desk", NAME, "TXT", "v-1")]


@pytest.mark.parametrize(
    ("name", "record_type"),
    [
        ("desk.tailnet.internal", "TXT"), (NAME, "A"), ("_acme-challenge.other.tailnet.internal", "TXT"),
        ("x" + NAME, "TXT"), ("_acme-challenge.sub.desk.tailnet.internal", "TXT"), ("", "TXT"),
    ],
)  # fmt: skip
async def test_no_other_record_is(client, publisher, name, record_type):
    status, words = await refusal(client, name=name, record_type=record_type)
    assert (status, NAME in words, publisher.published) == (403, True, [])


@pytest.mark.parametrize("value", ["", "two words", "x" * 256, 'quo"te'])
async def test_a_value_that_no_authority_gives_is_refused(client, publisher, value):
    assert (await refusal(client, value=value))[0] == 400
    assert publisher.published == []


async def test_without_a_publisher_it_is_said_what_is_missing(client):
    status, words = await refusal(client)
    assert status == 501
    assert "publishes no DNS records for desk.tailnet.internal" in words


async def test_a_publisher_of_another_domain_is_not_asked(tailnet, client):
    tailnet.services.plugins.add(Publisher("internal.example", "ailnet.internal"), "elsewhere")
    assert (await refusal(client))[0] == 501


async def test_the_publishers_words_reach_the_client(client, publisher):
    publisher.trouble = PublishError("the name server is away")
    status, words = await refusal(client)
    assert (status, words) == (502, "502: the name server is away")


@pytest.mark.filterwarnings("ignore")
async def test_a_fault_of_the_publisher_is_logged_and_not_told(tailnet, client, publisher):
    publisher.trouble = KeyError("secret")
    status, words = await refusal(client)
    assert (status, "secret" in words) == (502, False)
    assert tailnet.services.plugins.ledger.errors["paper", "publish"] == 1


async def test_a_publisher_that_takes_too_long_is_cut_off(monkeypatch, tailnet, client, publisher):
    monkeypatch.setattr(set_dns, "DEADLINE", 0.02)
    publisher.go_on = anyio.Event()
    assert (await refusal(client))[0] == 504
    assert tailnet.services.plugins.ledger.deadlines["paper", "publish"] == 1


async def test_several_requests_are_served_at_once_but_not_without_end(client, publisher):
    publisher.go_on = anyio.Event()
    refused = []

    async def one(number):
        try:
            await ask(client, value=f"v-{number}")
        except RefusedError as error:
            refused.append(error.status)
        if refused:
            publisher.go_on.set()

    async with anyio.create_task_group() as tasks:
        for number in range(set_dns.AT_ONCE + 1):
            tasks.start_soon(one, number)
    assert refused == [429]
    assert len(publisher.published) == set_dns.AT_ONCE


async def test_a_node_with_a_publisher_is_told_that_it_may_have_certificates(client, publisher):
    netmap = (await (await client.poll()).until(lambda netmap: netmap.own)).rest
    assert netmap["DNSConfig"]["CertDomains"] == ["desk.tailnet.internal"]


async def test_and_so_says_its_entry(client, publisher):
    netmap = await (await client.poll()).until(lambda netmap: netmap.own)
    assert "https" in netmap.own["CapMap"]


async def test_without_a_publisher_it_is_told_neither(client):
    netmap = await (await client.poll()).until(lambda netmap: netmap.own)
    assert "https" not in netmap.own["CapMap"]
    assert "CertDomains" not in netmap.rest["DNSConfig"]


@pytest.mark.parametrize("there", [True, False])
async def test_serve_may_go_ahead_where_there_are_certificates(tailnet, client, there):
    if there:
        tailnet.services.plugins.add(Publisher("tailnet.internal"), "paper")
    body = {"NodeKey": client.node_key, "Feature": "serve"}
    answer = json.loads(await client.post("/machine/feature/query", json.dumps(body).encode()))
    assert answer.get("Complete", False) is there
    assert there or "publishes no DNS records for desk.tailnet.internal" in answer["Text"]
