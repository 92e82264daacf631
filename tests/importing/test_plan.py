"""Importing twice, and beside what has happened here since."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace as changed

from hatsize.importing.findings import ImportRefusedError
from hatsize.importing.plan import ACTOR, change_for, touched_by_others
from hatsize.importing.store import Held, check_origin, held_by
from hatsize.tailnet.model import Change, Credential, Node, PolicyVersion, Tailnet, User
from hatsize.tailnet.state import State
from hatsize.testing.memory import MemoryStorage

NOW = datetime(2026, 3, 4, tzinfo=UTC)


def imported(plan):
    """A storage with the plan's import in it."""
    storage = MemoryStorage()
    storage.commit([change_for(plan, State(1), frozenset())], 0)
    return storage


def again(plan, storage):
    """What importing the plan would change now."""
    held = held_by(storage)
    return change_for(plan, held.state, held.touched)


def by_hand(storage, *, puts=(), deletes=()):
    """Somebody changes something here."""
    change = Change(tailnet=1, kind="node.updated", puts=puts, deletes=deletes, actor="local", at=NOW)
    storage.commit([change], held_by(storage).state.seq)


def test_the_first_import_makes_the_tailnet_and_everything_in_it_at_once(planned):
    change = change_for(planned("users-with-profiles"), State(1), frozenset())
    assert (change.kind, change.actor) == ("import.finished", ACTOR)
    assert [record.table for record in change.puts] == [
        "tailnet", "user", "user", "user", "credential", "node", "policy"
    ]  # fmt: skip
    assert change.puts[0].name == "tail.example.com"


def test_importing_again_changes_nothing(planned):
    storage = imported(planned("users-with-profiles"))
    assert again(planned("users-with-profiles"), storage) is None


def test_what_is_new_there_comes_and_what_is_gone_there_goes(planned):
    plan = planned("damaged")
    storage = imported(plan)
    renamed = changed(plan.users[0], name="anne")
    plan.users[0] = renamed
    del plan.nodes[1]
    change = again(plan, storage)
    assert renamed in change.puts
    assert change.kind == "import.finished"
    assert change.deletes == ((Node.table, 2),)


def test_what_has_changed_here_stays_as_it_is_here(planned):
    plan = planned("users-with-profiles")
    storage = imported(plan)
    by_hand(storage, puts=(changed(plan.nodes[0], given_name="own"),))
    assert again(plan, storage) is None
    assert "node 1: it stays as it is here, where it has changed since" in [
        f"{each.what}: {each.text}" for each in plan.findings.told
    ]


def test_what_was_deleted_here_stays_away(planned):
    plan = planned("users-with-profiles")
    storage = imported(plan)
    by_hand(storage, deletes=((Node.table, 1),))
    assert again(plan, storage) is None


def test_what_was_made_here_keeps_its_name_and_address(planned):
    plan = planned("users-with-profiles")
    storage = imported(plan)
    mine = changed(plan.nodes[0], id=50, stable_id="n50", node_key="nodekey:" + "9" * 64, given_name="new",
                   ipv4="100.64.0.9", ipv6=None)  # fmt: skip
    by_hand(storage, puts=(mine,))
    there = changed(mine, id=2, stable_id="2", node_key="nodekey:" + "8" * 64)
    plan.nodes.append(there)
    (node,) = again(plan, storage).puts
    assert (node.id, node.given_name, node.ipv4) == (2, "new-2", None)


def test_a_policy_saved_here_stays_in_force(planned):
    plan = planned("users-with-profiles")
    storage = imported(plan)
    by_hand(storage, puts=(PolicyVersion(id=3, document="{}", created=NOW),))
    assert again(plan, storage) is None


def test_another_policy_there_is_the_newest_version_here(planned):
    storage = imported(planned("users-with-profiles"))
    plan = planned("users-with-profiles")
    other = changed(plan.policy, document="{}")
    (version,) = again(_with_policy(plan, other), storage).puts
    assert (version.id, version.document) == (3, "{}")


def _with_policy(plan, policy):
    from dataclasses import replace

    return replace(plan, policy=policy)


def test_auth_keys_and_api_keys_of_the_same_id_get_ids_of_their_own_and_keep_them(planned):
    plan = planned("damaged")
    api = changed(plan.auth_keys[0], prefix="api", kind="api")
    plan.api_keys.append(api)
    storage = imported(plan)
    kept = {key.prefix: key.id for key in held_by(storage).state.all(Credential)}
    assert kept == {plan.auth_keys[0].prefix: 1, "api": 2}
    plan.auth_keys.append(changed(plan.auth_keys[0], id=2, prefix="newer"))
    (newer,) = again(plan, storage).puts
    assert (newer.prefix, newer.id) == ("newer", 3)


def test_only_changes_of_others_touch(planned):
    user = User(id=1, name="anna", created=NOW)
    by = [Change(tailnet=1, kind="k", puts=(user,), actor=actor, at=NOW) for actor in (ACTOR, "local")]
    assert touched_by_others(by[:1]) == set()
    assert touched_by_others(by) == {("user", 1)}


TAILNET = Tailnet(id=1, name="t", created=NOW)
FULL = Held(State.load(1, 1, [TAILNET], {}))


@pytest.mark.parametrize(
    ("held", "here", "there"),
    [
        (Held(), None, "privkey:a"),
        (Held(), "privkey:a", "privkey:a"),
        (FULL, "privkey:a", "privkey:a"),
        (Held(FULL.state, imported=True), None, None),
    ],
)
def test_an_import_may_go_where_nothing_is_or_the_same_server(held, here, there):
    check_origin(held, here, there, "/data")


@pytest.mark.parametrize(
    ("held", "here", "there"),
    [
        (FULL, None, "privkey:a"),
        (FULL, "privkey:b", "privkey:a"),
        (Held(), "privkey:b", "privkey:a"),
        (FULL, None, None),
    ],
)
def test_an_import_may_not_go_over_another_tailnet(held, here, there):
    with pytest.raises(ImportRefusedError, match="/data holds another tailnet: name an empty directory"):
        check_origin(held, here, there, "/data")
