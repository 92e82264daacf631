"""Records that plugins contribute reach every node, and trouble with one plugin stays its own."""

import anyio
import pytest

from hatsize.hooks import hookimpl
from hatsize.server.contributions import Contributions
from hatsize.testing.contracts.storage_samples import a_node
from hatsize.wire.tailcfg import DNSConfig, DNSRecord

pytestmark = pytest.mark.anyio

PRINTER = DNSRecord(Name="printer.internal", Value="192.168.1.9")


class Contributor:
    def __init__(self):
        self.records = [PRINTER]
        self.asked = 0
        self.asked_again = anyio.Event()

    @hookimpl
    async def hatsize_dns_records(self):
        self.asked += 1
        if self.asked > 1:
            self.asked_again.set()
        if isinstance(self.records, Exception):
            raise self.records
        return self.records


@pytest.fixture
def contributor(tailnet):
    contributor = Contributor()
    tailnet.services.plugins.add(contributor, "mdm")
    return contributor


@pytest.fixture
def contributions(tailnet, contributor):
    return Contributions(tailnet.live)


def names(tailnet):
    config = DNSConfig()
    for provider in tailnet.services.plugins.services("dns_provider"):
        config = provider.configure(tailnet.state, a_node(), config)
    return [record.Name for record in config.ExtraRecords]


async def test_records_are_told_to_nodes(tailnet, contributions):
    assert names(tailnet) == []
    before = tailnet.live.netmap.version
    await contributions.refresh()
    assert names(tailnet) == ["printer.internal"]
    assert tailnet.live.netmap.version > before


async def test_nobody_is_told_what_has_not_changed(tailnet, contributions):
    await contributions.refresh()
    before = tailnet.live.netmap.version
    await contributions.refresh()
    assert tailnet.live.netmap.version == before


@pytest.mark.parametrize("trouble", [OSError("no answer"), ["printer"], "printer"])
async def test_the_last_records_stay_while_a_plugin_fails(tailnet, contributions, contributor, trouble):
    await contributions.refresh()
    contributor.records = trouble
    await contributions.refresh()
    assert names(tailnet) == ["printer.internal"]
    assert tailnet.services.plugins.ledger.errors == {("mdm", "hatsize_dns_records"): 1}


async def test_records_can_be_taken_back(tailnet, contributions, contributor):
    await contributions.refresh()
    contributor.records = []
    await contributions.refresh()
    assert names(tailnet) == []


async def test_asks_until_it_is_cancelled(tailnet, contributions, contributor, monkeypatch):
    monkeypatch.setattr("hatsize.server.contributions.ASK_EVERY", 0.001)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(contributions.run)
        with anyio.fail_after(5):
            await contributor.asked_again.wait()
        tasks.cancel_scope.cancel()
    assert names(tailnet) == ["printer.internal"]


async def test_without_anybody_to_ask_nothing_runs(tailnet):
    with anyio.fail_after(5):
        await Contributions(tailnet.live).run()
