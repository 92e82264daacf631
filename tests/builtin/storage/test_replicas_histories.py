"""Several processes on one PostgreSQL, killed and cut off at random, are one history; one that is not is noticed.

The long form is `python -m benchmarks.durability`.
"""

import copy

import pytest

from benchmarks.durability.journal import Journal, Operation, read_journals
from benchmarks.durability.verdict import Entry, Tables, verdict


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.timeout(180)
def test_what_replicas_were_answered_is_one_history(postgres_server, tmp_path):
    from benchmarks.durability.histories import run

    history = run(tmp_path, operations=1_500, replicas=3, seed=20, deadline=60.0)
    assert history.findings == []
    outcomes = [operation.outcome for operation in history.operations]
    assert outcomes.count("done") > 100
    assert history.faults


def node(number, name):
    return {"id": number, "given_name": name, "ipv4": f"100.64.0.{number}", "ipv6": f"fd7a::{number}"}


def done(name, kind, wish, seq, **rows):
    times = {"begun": seq * 10, "ended": seq * 10 + 15}
    return Operation(name, kind, wish, **times, outcome="done", seq=seq, rows=rows)


@pytest.fixture
def history():
    """Two keys, three nodes, a name that moves from one to the other, a deletion, a policy, and a lost answer."""
    operations = [
        done("a1", "mint", {"reusable": False}, 2),
        done("a2", "mint", {"reusable": True}, 3),
        done("b1", "register", {"key": 1}, 4, node=[node(1, "desk")], credential=[{"id": 1, "uses": 1}]),
        done("b2", "register", {"key": 2}, 5, node=[node(2, "lap")], credential=[{"id": 2, "uses": 1}]),
        done("a3", "rename", {"node": 1, "name": "box"}, 6, node=[node(1, "box")]),
        done("b3", "rename", {"node": 2, "name": "desk"}, 7, node=[node(2, "desk")]),
        Operation("c1", "register", {"key": 2}, begun=70),
        done("a4", "delete", {"node": 1}, 9),
        done("a5", "policy", {"document": "{}"}, 10),
        Operation("b4", "register", {"key": 1}, begun=90, ended=95, outcome="refused", words="used"),
        Operation("b5", "rename", {"node": 2, "name": "x"}, begun=96, ended=99, outcome="failed", words="try again"),
    ]
    log = [
        Entry(1, "", {"tailnet": [1]}, {}),
        Entry(2, "a1", {"credential": [1]}, {}),
        Entry(3, "a2", {"credential": [2]}, {}),
        Entry(4, "b1", {"node": [1], "credential": [1]}, {}),
        Entry(5, "b2", {"node": [2], "credential": [2]}, {}),
        Entry(6, "a3", {"node": [1]}, {}),
        Entry(7, "b3", {"node": [2]}, {}),
        Entry(8, "c1", {"node": [3], "credential": [2]}, {}),
        Entry(9, "a4", {}, {"node": [1]}),
        Entry(10, "a5", {"policy": [1]}, {}),
    ]
    keys = {1: {"id": 1, "uses": 1}, 2: {"id": 2, "uses": 2}}
    return operations, log, Tables({2: node(2, "desk"), 3: node(3, "lap")}, keys, {1: {"document": "{}"}}, 10)


def test_a_true_history_has_no_findings(history):
    assert verdict(*history) == []


def lost_answer(operations, log, tables):
    del log[6]
    tables.seq = 9
    log[6:] = [Entry(entry.seq - 1, entry.actor, entry.puts, entry.deletes) for entry in log[6:]]


def hole(operations, log, tables):
    del log[7]


def done_twice(operations, log, tables):
    log.append(Entry(11, "a5", {"policy": [2]}, {}))
    tables.seq = 11


def refused_and_done(operations, log, tables):
    log.append(Entry(11, "b4", {"node": [4], "credential": [1]}, {}))
    tables.seq = 11


def out_of_order(operations, log, tables):
    operations[8].ended = 85
    operations[8].begun = 84
    operations[7].begun = 86


def address_twice(operations, log, tables):
    operations[3].rows["node"][0]["ipv4"] = "100.64.0.1"


def name_twice(operations, log, tables):
    operations[5].wish["name"] = operations[5].rows["node"][0]["given_name"] = "box"


def key_twice(operations, log, tables):
    operations[3].wish["key"] = 1


def gone_from_the_table(operations, log, tables):
    del tables.nodes[3]


def another_name_in_the_table(operations, log, tables):
    tables.nodes[2]["given_name"] = "lap"


def unheard_of(operations, log, tables):
    log.append(Entry(11, "d1", {"policy": [2]}, {}))
    tables.seq = 11


def deleted_before(operations, log, tables):
    operations[7].wish["node"] = 7


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (lost_answer, "b3 was told it is change 7, and the log has it at []"),
        (hole, "the log's numbers have a hole"),
        (done_twice, "a5 was done 2 times"),
        (refused_and_done, "b4 was refused (used), and done"),
        (out_of_order, "a5 had ended before a4 began, and comes after it"),
        (address_twice, "address 100.64.0.1 of node 2 is node 1's"),
        (name_twice, "the name box of node 2 is node 1's"),
        (key_twice, "key 1 is for one use, and was used before"),
        (gone_from_the_table, "these nodes are in the log or in the table only: {3}"),
        (another_name_in_the_table, "node 2 is called lap, not desk"),
        (unheard_of, "the log has d1, which nobody wished"),
        (deleted_before, "node 7 is not there"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_contradicts_itself_is_noticed(history, tamper, words):
    tampered = copy.deepcopy(history)
    tamper(*tampered)
    assert [finding for finding in verdict(*tampered) if words in finding], verdict(*tampered)


def test_a_line_that_a_kill_cut_off_is_as_if_never_written(tmp_path):
    journal = Journal(tmp_path / "1.journal")
    journal.begin("a1", "mint", {"reusable": True})
    journal.end("a1", "done", seq=4)
    journal.begin("a2", "mint", {"reusable": True})
    with (tmp_path / "1.journal").open("a") as file:
        file.write('{"name": "a2", "outco')
    first, second = read_journals([tmp_path / "1.journal"])
    assert (first.outcome, first.seq, second.outcome, second.ended) == ("done", 4, "", None)
