"""The policy as the HTTP APIs see it: judged by the chosen engine, for the tailnet as it is."""

import pytest

from hatsize.policy.errors import PolicyError
from hatsize.policy.question import read_question
from hatsize.server import policy_view
from hatsize.server.policy_file import PolicyFile
from hatsize.server.policy_view import PolicyView
from hatsize.tailnet.errors import InvalidError, NotFoundError
from hatsize.tailnet.model import Change
from hatsize.testing.contracts.storage_samples import NOON, a_node
from hatsize.testing.tailnet import ScratchTailnet

pytestmark = pytest.mark.anyio
OPEN = '{"grants": [{"src": ["*"], "dst": ["*"], "ip": ["*"]}]}'
CLOSED = '{"grants": []}'


@pytest.fixture
async def view(tailnet):
    change = Change(tailnet=1, kind="node.registered", puts=(a_node(7),), at=NOON)
    await tailnet.live.run(lambda _: change)
    await tailnet.save_policy(OPEN)
    return PolicyView(tailnet.live, None)


def filter_of(previewed):
    (node,) = previewed.values()
    return node["packet_filter_rules"]


async def test_a_document_is_previewed_beside_the_policy_in_force(view):
    assert filter_of(await view.preview(CLOSED)) == []
    assert filter_of(await view.preview(None)) != []


async def test_a_preview_changes_nothing(tailnet, view):
    before = tailnet.state.version, tailnet.live.policy, tailnet.state.ordinals.bits([7])
    await view.preview(CLOSED)
    assert (tailnet.state.version, tailnet.live.policy, tailnet.state.ordinals.bits([7])) == before


async def test_rules_are_explained_of_a_document_and_of_the_policy_in_force(view):
    assert (await view.explain(None, "100.64.0.1", read_question("100.64.0.9:22"))).allowed
    assert not (await view.explain(CLOSED, "100.64.0.1", read_question("100.64.0.9:22"))).allowed
    with pytest.raises(InvalidError, match="nobody"):
        await view.explain(None, "nobody", read_question("100.64.0.9"))


async def test_a_document_is_reviewed_without_being_saved(tailnet, view):
    before = tailnet.state.version
    assert await view.review(OPEN) == []
    with pytest.raises(PolicyError, match="unknown field"):
        await view.review('{"grant": []}')
    assert tailnet.state.version == before


async def test_the_rules_that_apply_are_those_of_the_document_that_is_asked(view):
    asked = read_question("100.64.0.9:22")
    assert [rule.opens for rule in await view.rules_to(None, asked)] == [("*:*",)]
    assert [rule.sources for rule in await view.rules_from(None, "100.64.0.1")] == [("*",)]
    assert await view.rules_to(CLOSED, asked) == []
    with pytest.raises(InvalidError, match="nobody"):
        await view.rules_from(None, "nobody")


class Silent:
    """An engine of somebody else's, whose policies compile to a thing of its own."""

    name = "silent"

    def __init__(self, engine):
        self._engine = engine

    def check(self, document, state):
        return []

    def compile(self, document, state, online=None):
        return Shell(self._engine.compile(None, state, online))

    def update(self, compiled, state, nodes):
        return compiled, 0


class Shell:
    """A compiled policy that is no `Compiled`."""

    def __init__(self, inner):
        self._inner = inner

    def __getattr__(self, name):
        return getattr(self._inner, name)

    def with_routers(self, primaries, online):
        return Shell(self._inner.with_routers(primaries, online))


async def test_another_engine_previews_and_gives_no_reasons(tailnet):
    other = ScratchTailnet(policy=Silent(tailnet.services.policy))
    view = PolicyView(other.live, None)
    assert await view.preview("anything it reads") == {}
    with pytest.raises(InvalidError, match="engine silent gives no reasons"):
        await view.explain(None, "100.64.0.1", read_question("100.64.0.9"))


async def test_a_file_is_the_reason_why_nothing_is_saved(tailnet, tmp_path):
    file = PolicyFile(tailnet.live, tmp_path / "policy.hujson")
    view = PolicyView(tailnet.live, file)
    assert "policy.hujson: change that file" in view.read_only
    await file.reload()
    assert view.problem == file.problem != ""
    assert (PolicyView(tailnet.live, None).read_only, PolicyView(tailnet.live, None).problem) == ("", "")


async def test_a_preview_is_of_some_nodes_and_never_of_too_many(view, monkeypatch):
    assert list(await view.preview(None, ["node-7"])) == ["node-7"]
    with pytest.raises(NotFoundError, match="there is no node nobody"):
        await view.preview(None, ["nobody"])
    monkeypatch.setattr(policy_view, "MAX_PAIRS", -1)
    with pytest.raises(InvalidError, match="name some nodes, as with --node"):
        await view.preview(None)
