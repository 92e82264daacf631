"""What plugins say of nodes decides what the policy lets them do."""

import anyio
import pytest
from msgspec.structs import replace

from hatsize.hooks import hookimpl
from hatsize.hooks.storage import StorageError
from hatsize.live import policy_attributes
from hatsize.live.policy_attributes import PolicyAttributes
from hatsize.tailnet.model import Change, Node, User
from hatsize.testing.contracts.storage_samples import NOON, a_node, a_user

pytestmark = pytest.mark.anyio
POLICY = """{
  "tagOwners": {"tag:server": []},
  "postures": {"posture:managed": ["mdm:compliant == true"]},
  "grants": [{"src": ["tag:server"], "dst": ["tag:server"], "ip": ["22"], "srcPosture": ["posture:managed"]}],
}"""


class Contributor:
    def __init__(self):
        self.attributes = {"mdm:compliant": True}
        self.asked = []

    @hookimpl
    async def hatsize_node_attributes(self, node):
        self.asked.append(node.id)
        if isinstance(self.attributes, Exception):
            raise self.attributes
        return self.attributes


@pytest.fixture
def mdm(tailnet):
    """A plugin `mdm` that contributes attributes."""
    contributor = Contributor()
    tailnet.services.plugins.add(contributor, "mdm")
    return contributor


@pytest.fixture
def attributes(tailnet, mdm):
    return PolicyAttributes(tailnet.live)


async def register(tailnet, *numbers):
    change = Change(tailnet=1, kind="node.registered", puts=tuple(map(a_node, numbers)), at=NOON)
    await tailnet.live.run(lambda _: change)


def own(tailnet, number=7):
    """The node's attributes that its sample does not have."""
    sample = a_node(number).attributes
    return {name: value for name, value in tailnet.state.get(Node, number).attributes.items() if name not in sample}


async def test_a_posture_is_met_by_what_a_plugin_gives(tailnet, attributes):
    await register(tailnet, 7, 8)
    await tailnet.save_policy(POLICY)
    assert not tailnet.live.policy.filter_rules(8)
    await attributes.refresh([7, 8])
    (rule,) = tailnet.live.policy.filter_rules(8)
    assert a_node(7).ipv4 in rule.SrcIPs


async def test_a_group_that_a_login_brought_is_one_of_the_policys(tailnet):
    user = a_user(5)
    owned = Change(tailnet=1, kind="user.created", puts=(user,), at=NOON)
    await tailnet.live.run(lambda _: owned)
    await register(tailnet, 8)
    member = Change(tailnet=1, kind="node.registered", puts=(_of(user),), at=NOON)
    await tailnet.live.run(lambda _: member)
    (group,) = user.groups
    grant = f'{{"src": ["{group}"], "dst": ["tag:server"], "ip": ["22"]}}'
    await tailnet.save_policy(f'{{"tagOwners": {{"tag:server": []}}, "grants": [{grant}]}}')
    (rule,) = tailnet.live.policy.filter_rules(8)
    assert a_node(7).ipv4 in rule.SrcIPs


def _of(user: User) -> Node:
    return replace(a_node(7), user_id=user.id, tags=())


@pytest.mark.parametrize("nothing", [{}, None])
async def test_what_is_no_longer_given_is_removed(tailnet, attributes, mdm, nothing):
    await register(tailnet, 7)
    await attributes.refresh([7])
    assert own(tailnet) == {"mdm:compliant": True}
    mdm.attributes = nothing
    await attributes.refresh([7])
    assert own(tailnet) == {}


async def test_a_plugin_that_fails_keeps_what_it_gave(tailnet, attributes, mdm):
    await register(tailnet, 7)
    await attributes.refresh([7])
    mdm.attributes = OSError("no answer")
    await attributes.refresh([7])
    assert own(tailnet) == {"mdm:compliant": True}


async def test_a_name_or_a_value_that_cannot_be_is_told_once(tailnet, attributes, mdm, caplog):
    await register(tailnet, 7)
    mdm.attributes = {"custom:tier": "gold", "mdmx:a": 1, "mdm:list": [1], "mdm:tier": "gold"}
    await attributes.refresh([7])
    await attributes.refresh([7])
    assert own(tailnet) == {"mdm:tier": "gold"}
    assert [record.getMessage().split(" is not taken")[0] for record in caplog.records] == [
        f"plugin mdm: its attribute {name!r}" for name in ("custom:tier", "mdmx:a", "mdm:list")
    ]


async def test_the_same_answer_is_no_change(tailnet, attributes):
    await register(tailnet, *range(1, 50))
    await attributes.refresh(range(1, 60))
    seq = tailnet.state.seq
    await attributes.refresh(range(1, 60))
    assert tailnet.state.seq == seq


async def test_a_storage_that_fails_is_a_warning(tailnet, attributes, monkeypatch, caplog):
    def refused(changes, seq):
        raise StorageError("the disk is full")

    await register(tailnet, 7)
    monkeypatch.setattr(tailnet.storage, "commit", refused)
    await attributes.refresh([7])
    assert "the disk is full" in caplog.text


async def test_nodes_are_asked_about_at_the_start_when_they_change_and_now_and_then(
    tailnet, attributes, mdm, monkeypatch
):
    monkeypatch.setattr(policy_attributes, "ASK_EVERY", 0.05)
    await register(tailnet, 7)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(attributes.run)
        await _until(lambda: mdm.asked == [7])
        await register(tailnet, 8)
        await _until(lambda: mdm.asked[1:2] == [8])
        await _until(lambda: mdm.asked[2:4] == [7, 8])
        tasks.cancel_scope.cancel()


async def test_a_replica_whose_turn_comes_later_asks_soon_after(tailnet, attributes, mdm, monkeypatch):
    monkeypatch.setattr(policy_attributes, "CLAIM_EVERY", 0.01)
    turns = iter([False] * 4)
    monkeypatch.setattr(type(tailnet.services.replication), "is_ours", lambda _, duty: next(turns, True))
    await register(tailnet, 7)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(attributes.run)
        await _until(lambda: mdm.asked == [7])
        tasks.cancel_scope.cancel()


async def _until(true):
    with anyio.fail_after(5):
        while not true():  # noqa: ASYNC110 - what is waited for has no event
            await anyio.sleep(0.001)


async def test_without_anybody_to_ask_nothing_runs(tailnet):
    with anyio.fail_after(5):
        await PolicyAttributes(tailnet.live).run()
