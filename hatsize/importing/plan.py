"""What an import will do: the records and settings, and the change that brings the storage there from what it holds.

Importing again takes over what has happened in Headscale since, but never what has changed here: a row that anybody
but an import has touched stays as it is here, and one deleted here stays away.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import chain
from typing import Any

from msgspec.structs import replace

from hatsize.importing.configuration import Configuration
from hatsize.importing.findings import Findings
from hatsize.importing.keys import api_keys_of, auth_keys_of
from hatsize.importing.nodes import Owners, holdings, nodes_of, without_doubles
from hatsize.importing.oauth_clients import oauth_clients_of
from hatsize.importing.policy import given_policy, policy_of
from hatsize.importing.rows import Tables
from hatsize.importing.settings import settings_of
from hatsize.importing.terms import Terms
from hatsize.importing.users import users_of
from hatsize.tailnet.model import Change, Credential, Node, PolicyVersion, Record, Tailnet, User
from hatsize.tailnet.state import State

ACTOR = "import:headscale"
"""Who makes an import's changes, so that they can be told from all others."""
TAILNET = 1
KINDS = (User, Credential, Node)
Key = tuple[str, int]
"""A row by its table and id."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything of a Headscale server, as it is called here."""

    tailnet: str
    """Its name: the base domain."""
    users: Sequence[User]
    auth_keys: Sequence[Credential]
    api_keys: Sequence[Credential]
    oauth_clients: Sequence[Credential]
    nodes: Sequence[Node]
    policy: PolicyVersion | None
    settings: Mapping[str, Any]
    terms: Terms
    findings: Findings


def plan_of(tables: Tables, configuration: Configuration, terms: Terms, policy: str | None = None) -> Plan:
    """Map all there is; `policy` stands for Headscale's. Raises ImportRefusedError when its file cannot be read."""
    findings = Findings()
    users = users_of(tables, terms, findings)
    by_id = {user.id: user for user in users}
    auth_keys = auth_keys_of(tables, by_id, terms, findings)
    nodes = nodes_of(tables, Owners(by_id, {key.id: key for key in auth_keys}), terms, findings)
    api_keys = api_keys_of(tables, terms, findings)
    oauth_clients = oauth_clients_of(tables, by_id, terms, findings)
    settings = settings_of(configuration, findings)
    version = given_policy(policy, terms) if policy else policy_of(tables, configuration, terms, findings)
    name = settings.get("dns", {}).get("base_domain", "headscale")
    return Plan(name, users, auth_keys, api_keys, oauth_clients, nodes, version, settings, terms, findings)


def change_for(plan: Plan, state: State, touched: AbstractSet[Key]) -> Change | None:
    """What to commit over a state of which others than imports have touched some rows; None where nothing is new."""
    new = not state.table(Tailnet)
    credentials = _numbered([*plan.auth_keys, *plan.api_keys, *plan.oauth_clients], state)
    own_ids = {key.id: own.id for key, own in zip(plan.auth_keys, credentials, strict=False)}
    nodes = [replace(node, auth_key_id=own_ids.get(node.auth_key_id or 0)) for node in plan.nodes]
    wanted: list[Record] = [*plan.users, *credentials, *_settled(nodes, state, touched, plan.findings)]
    kept = [record for record in wanted if _is_news(record, state, touched, plan.findings)]
    policy = _policy(plan, state, touched)
    tailnet = [Tailnet(id=TAILNET, tailnet=TAILNET, name=plan.tailnet, created=plan.terms.now)] if new else []
    puts, deletes = (*tailnet, *kept, *policy), _gone(wanted, state, touched)
    if not puts and not deletes:
        return None
    return Change(tailnet=TAILNET, kind="import.finished", puts=puts, deletes=deletes, actor=ACTOR, at=plan.terms.now)


def touched_by_others(changes: Sequence[Change]) -> set[Key]:
    """The rows that changes other than imports have put or deleted."""
    theirs = [change for change in changes if change.actor != ACTOR]
    puts = {(record.table, record.id) for change in theirs for record in change.puts}
    return puts | {key for change in theirs for key in change.deletes}


def _numbered(credentials: Sequence[Credential], state: State) -> list[Credential]:
    """Credentials with ids of the table they share here: that of the same key, or its own, or the next free one."""
    taken = set(state.table(Credential)) | {key.id for key in credentials}
    used: set[int] = set()
    numbered = []
    for key in credentials:
        known = state.index.credential_by_prefix.get(key.prefix)
        own_is_free = key.id not in used and key.id not in state.table(Credential)
        number = known or (key.id if own_is_free else max(state.next_id(Credential), max(taken) + 1))
        used.add(number)
        taken.add(number)
        numbered.append(replace(key, id=number))
    return numbered


def _settled(nodes: Sequence[Node], state: State, touched: AbstractSet[Key], findings: Findings) -> list[Node]:
    """The nodes with nothing twice, neither among them nor beside those that stay as they are here."""
    held = [holdings(node) for node in state.all(Node) if (Node.table, node.id) in touched]
    stay = [node for node in nodes if (Node.table, node.id) in touched]
    move = [node for node in nodes if (Node.table, node.id) not in touched]
    return [*without_doubles(move, chain.from_iterable(held), findings), *stay]


def _is_news(record: Record, state: State, touched: AbstractSet[Key], findings: Findings) -> bool:
    """Whether the record has to be written."""
    former = state.find(type(record), record.id)
    if (record.table, record.id) not in touched:
        return former != record
    if former is None:
        findings.left_out(f"{record.table} {record.id}", "it was deleted here since it was imported")
    elif former != record:
        findings.note(f"{record.table} {record.id}", "it stays as it is here, where it has changed since")
    return False


def _gone(wanted: Sequence[Record], state: State, touched: AbstractSet[Key]) -> tuple[Key, ...]:
    """The rows of an earlier import that are no longer in Headscale."""
    there = {(record.table, record.id) for record in wanted} | touched
    return tuple(key for kind in KINDS for record in state.all(kind) if (key := (kind.table, record.id)) not in there)


def _policy(plan: Plan, state: State, touched: AbstractSet[Key]) -> list[PolicyVersion]:
    """The policy as a version after all there are, unless it is the newest, or another was saved here."""
    newest = max(state.all(PolicyVersion), key=lambda version: version.id, default=None)
    if plan.policy is None or (newest is not None and newest.document == plan.policy.document):
        return []
    if any(table == PolicyVersion.table for table, _ in touched):
        plan.findings.note("policy", "it stays as it is here, where it was saved since")
        return []
    return [replace(plan.policy, id=max(plan.policy.id, state.next_id(PolicyVersion)))]
