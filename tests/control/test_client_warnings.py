"""What clients say is wrong with their machines reaches the operator, and is forgotten when it is mended."""

import logging

import pytest

from hatsize.control.client_warnings import ClientWarnings
from hatsize.tailnet.commands.nodes import delete_node
from hatsize.tailnet.model import Node

pytestmark = pytest.mark.anyio
FORWARDING = "IP forwarding is off on this machine, so that its routes lead nowhere"


async def test_a_clients_warning_is_known_until_it_says_that_all_is_well(tailnet, fake_client):
    async with fake_client("desk") as client:
        await client.register(await tailnet.auth_key())
        await client.report(flags=("warn-ip-forwarding-off", "other"))
        assert tailnet.warnings.of(1) == [FORWARDING]
        await client.report()
        assert tailnet.warnings.of(1) == []


async def test_a_warning_is_logged_once(tailnet, fake_client, caplog):
    async with fake_client("desk") as client:
        await client.register(await tailnet.auth_key())
        with caplog.at_level(logging.WARNING, "hatsize.control.client_warnings"):
            for _ in range(2):
                await client.report(flags=("warn-ip-forwarding-off",))
    logged = [record.message for record in caplog.records if record.name == "hatsize.control.client_warnings"]
    assert logged == [f"node 1 desk: {FORWARDING}"]


async def test_a_node_that_goes_takes_its_warnings_with_it(tailnet, fake_client):
    async with fake_client("desk") as client:
        await client.register(await tailnet.auth_key())
        await client.report(flags=("warn-router-unhealthy",))
    warnings = tailnet.warnings
    assert len(warnings.of(1)) == 1
    await tailnet.live.run(lambda state: delete_node(state, 1, tailnet.clock()))
    assert warnings.of(1) == []


async def test_a_warning_nobody_knows_is_told_as_it_came(tailnet, fake_client):
    async with fake_client("desk") as client:
        await client.register(await tailnet.auth_key())
    node = tailnet.state.get(Node, 1)
    warnings = ClientWarnings()
    warnings.take(node, ("warn-battery-low",))
    assert warnings.of(1) == ["battery low"]
