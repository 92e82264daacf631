"""Whether what replicas were answered, what the log says and what the tables hold are one history.

The log is the order: every answer must be what a tailnet that did one thing after the other would have given there, and
nothing that was answered before another thing was asked may stand behind it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.durability.journal import Operation


@dataclass
class Entry:
    """One change of the log."""

    seq: int
    actor: str
    puts: dict[str, list[int]]
    deletes: dict[str, list[int]]


@dataclass
class Tables:
    """The rows there are at the end, by id."""

    nodes: dict[int, dict[str, Any]]
    keys: dict[int, dict[str, Any]]
    policies: dict[int, dict[str, Any]]
    seq: int


def verdict(operations: Sequence[Operation], log: Sequence[Entry], tables: Tables) -> list[str]:
    """What contradicts one another, each a sentence; empty when it is one history."""
    by_name = {operation.name: operation for operation in operations}
    return [
        *_numbers(log, tables),
        *_answers(operations, log),
        *_real_time(operations),
        *Replay(by_name, tables).run(log),
    ]


def _numbers(log: Sequence[Entry], tables: Tables) -> Iterator[str]:
    if [entry.seq for entry in log] != list(range(1, len(log) + 1)):
        yield "the log's numbers have a hole, or one is there twice"
    if len(log) != tables.seq:
        yield f"the log has {len(log)} entries, and the last number given out is {tables.seq}"


def _answers(operations: Sequence[Operation], log: Sequence[Entry]) -> Iterator[str]:
    """Each success is in the log, once, where it was told to be; no refusal is."""
    entries: dict[str, list[Entry]] = {}
    for entry in log:
        entries.setdefault(entry.actor, []).append(entry)
    for operation in operations:
        found = entries.get(operation.name, [])
        if len(found) > 1:
            yield f"{operation.name} was done {len(found)} times"
        if operation.outcome == "refused" and found:
            yield f"{operation.name} was refused ({operation.words}), and done"
        if operation.outcome == "done" and [entry.seq for entry in found] != [operation.seq]:
            yield f"{operation.name} was told it is change {operation.seq}, and the log has it at {found}"
    for actor in entries.keys() - {operation.name for operation in operations} - {""}:
        yield f"the log has {actor}, which nobody wished"


def _real_time(operations: Sequence[Operation]) -> Iterator[str]:
    """What had been answered when another thing was asked for comes before it."""
    first_end, first = None, None
    done = (operation for operation in operations if operation.outcome == "done")
    for operation in sorted(done, key=lambda operation: operation.seq, reverse=True):
        if first_end is not None and first_end < operation.begun:
            yield f"{first} had ended before {operation.name} began, and comes after it"
        if operation.ended is not None and (first_end is None or operation.ended < first_end):
            first_end, first = operation.ended, operation.name


@dataclass
class Replay:
    """A tailnet that does one thing after the other, as the log says."""

    operations: dict[str, Operation]
    tables: Tables
    nodes: dict[int, dict[str, Any]] = field(default_factory=dict)
    uses: dict[int, int] = field(default_factory=dict)
    reusable: dict[int, bool] = field(default_factory=dict)
    policies: dict[int, str] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    """Which living node has which name; likewise the addresses."""
    addresses: dict[str, int] = field(default_factory=dict)
    ever: set[int] = field(default_factory=set)

    def run(self, log: Sequence[Entry]) -> Iterator[str]:
        for entry in log:
            operation = self.operations.get(entry.actor)
            if operation is not None:
                for finding in getattr(self, operation.kind)(operation, entry):
                    yield f"change {entry.seq}, {operation.name}: {finding}"
        yield from self._end()

    def register(self, operation: Operation, entry: Entry) -> Iterator[str]:
        (node_id,), key = entry.puts["node"], operation.wish["key"]
        if node_id in self.ever:
            yield f"node {node_id} is there already, or was"
        if key not in self.uses:
            yield f"there is no key {key} yet"
        if not self.reusable.get(key) and self.uses.get(key):
            yield f"key {key} is for one use, and was used before"
        self.uses[key] = self.uses.get(key, 0) + 1
        for told in operation.rows.get("credential", ()):
            if told["uses"] != self.uses[key]:
                yield f"key {key} was told to have {told['uses']} uses, not {self.uses[key]}"
        self.ever.add(node_id)
        known = operation.rows.get("node") or [self.tables.nodes.get(node_id, {})]
        addresses = [known[0][name] for name in ("ipv4", "ipv6") if known[0].get(name)]
        name = known[0].get("given_name") if operation.rows else None
        self.nodes[node_id] = {"addresses": addresses, "name": None}
        yield from self._take_name(node_id, name)
        for address in addresses:
            if (holder := self.addresses.get(address)) is not None:
                yield f"address {address} of node {node_id} is node {holder}'s"
            self.addresses[address] = node_id

    def mint(self, operation: Operation, entry: Entry) -> Iterator[str]:
        (key,) = entry.puts["credential"]
        if key in self.uses:
            yield f"key {key} is there already"
        self.uses[key], self.reusable[key] = 0, operation.wish["reusable"]

    def rename(self, operation: Operation, _entry: Entry) -> Iterator[str]:
        node_id = operation.wish["node"]
        if node_id not in self.nodes:
            yield f"node {node_id} is not there"
            return
        told = operation.rows.get("node", [{}])[0].get("given_name", operation.wish["name"])
        if told != operation.wish["name"]:
            yield f"it was told the name {told}"
        yield from self._take_name(node_id, told)

    def delete(self, operation: Operation, entry: Entry) -> Iterator[str]:
        node_id = operation.wish["node"]
        node = self.nodes.pop(node_id, None)
        if node is None or entry.deletes.get("node") != [node_id]:
            yield f"node {node_id} is not there"
            return
        for address in node["addresses"]:
            self.addresses.pop(address, None)
        self.names.pop(node["name"], None)

    def policy(self, operation: Operation, entry: Entry) -> Iterator[str]:
        (version,) = entry.puts["policy"]
        if version != max(self.policies, default=0) + 1:
            yield f"policy {version} does not follow {max(self.policies, default=0)}"
        self.policies[version] = operation.wish["document"]

    def _take_name(self, node_id: int, name: str | None) -> Iterator[str]:
        """A name that nobody heard, because the answer was lost, is not known."""
        holder = self.names.get(name) if name else None
        if holder not in (None, node_id):
            yield f"the name {name} of node {node_id} is node {holder}'s"
        self.names.pop(self.nodes[node_id]["name"], None)
        self.nodes[node_id]["name"] = name
        if name:
            self.names[name] = node_id

    def _end(self) -> Iterator[str]:
        """The tables are what the log comes to."""
        if self.nodes.keys() != self.tables.nodes.keys():
            yield f"these nodes are in the log or in the table only: {self.nodes.keys() ^ self.tables.nodes.keys()}"
        for node_id in self.nodes.keys() & self.tables.nodes.keys():
            row, node = self.tables.nodes[node_id], self.nodes[node_id]
            if node["name"] not in (None, row["given_name"]):
                yield f"node {node_id} is called {row['given_name']}, not {node['name']}"
            if node["addresses"] != [row["ipv4"], row["ipv6"]]:
                yield f"node {node_id} has other addresses than it was given: {row}, {node['addresses']}"
        if self.uses != {key: row["uses"] for key, row in self.tables.keys.items()}:
            yield "the keys' uses are not those of the log"
        if self.policies != {version: row["document"] for version, row in self.tables.policies.items()}:
            yield "the policies are not those of the log"
