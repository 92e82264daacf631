"""Nodes, as their administrator changes them: name, approval, expiry, tags, owner, removal."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from hatsize.tailnet.commands.credentials import checked_tag
from hatsize.tailnet.errors import InvalidError, RefusedError
from hatsize.tailnet.model import Change, Node, Record, Service, Share, User
from hatsize.tailnet.names import checked, sanitised, unique
from hatsize.tailnet.state import State


def rename_node(state: State, node_id: int, name: str, now: datetime) -> Change:
    """Another DNS label for a node."""
    node = state.get(Node, node_id)
    holder = state.index.node_by_name.get(checked(name))
    if holder not in (None, node_id):
        raise RefusedError(f"the name {name!r} is node {holder}'s already: choose another")
    return _updated(state, replace(node, given_name=name), now)


def rename_by_host(state: State, node_id: int, now: datetime) -> Change:
    """The node's label is made from its host name again, as that of a new node."""
    node = state.get(Node, node_id)
    by_name = state.index.node_by_name
    name = unique(sanitised(node.hostinfo.Hostname), lambda label: by_name.get(label) not in (None, node_id))
    return _updated(state, replace(node, given_name=name), now)


def expire_node(state: State, node_id: int, expiry: datetime | None, now: datetime) -> Change:
    """The node's key expires at a moment, which may be now; None lets it live for ever."""
    node = state.get(Node, node_id)
    former = (node.key_expiry or node.former_expiry) if expiry is None else None
    kind = "node.expired" if expiry is not None and expiry <= now else "node.updated"
    node = replace(node, key_expiry=expiry, former_expiry=former)
    return Change(tailnet=state.tailnet_id, kind=kind, puts=(node,), at=now)


def enable_expiry(state: State, node_id: int, lasts: timedelta | None, now: datetime) -> Change | None:
    """The node's key expires again at the time it had before that was disabled, which may be over, or by what keys of
    new nodes last; None when it expires anyhow, or there is neither."""
    node = state.get(Node, node_id)
    expiry = node.former_expiry or (now + lasts if lasts else None)
    return expire_node(state, node_id, expiry, now) if node.key_expiry is None and expiry else None


def approve_node(state: State, node_id: int, now: datetime) -> Change | None:
    """The node may take part in the tailnet; None when it may already."""
    node = state.get(Node, node_id)
    if node.authorized:
        return None
    approved = replace(node, authorized=True)
    return Change(tailnet=state.tailnet_id, kind="node.authorized", puts=(approved,), at=now)


def hold_node(state: State, node_id: int, now: datetime) -> Change | None:
    """The node may not take part until it is approved again; None when it may not already."""
    node = state.get(Node, node_id)
    if not node.authorized:
        return None
    held = replace(node, authorized=False)
    return Change(tailnet=state.tailnet_id, kind="node.held", puts=(held,), at=now)


def delete_node(state: State, node_id: int, now: datetime) -> Change:
    """The node goes, with what hangs on it: its shares, and its part in services."""
    state.get(Node, node_id)
    shares = tuple((Share.table, share.id) for share in state.all(Share) if share.node_id == node_id)
    services: tuple[Record, ...] = tuple(
        replace(service, approved_hosts=tuple(host for host in service.approved_hosts if host != node_id))
        for service in state.all(Service)
        if node_id in service.approved_hosts
    )
    return Change(
        tailnet=state.tailnet_id, kind="node.deleted", puts=services, deletes=(*shares, (Node.table, node_id)), at=now
    )


def set_tags(state: State, node_id: int, tags: Sequence[str], known: Callable[[str], bool], now: datetime) -> Change:
    """The node's tags, instead of those it has; from the first one on it is nobody's, and its key does not expire.

    `known` tells whether the policy in force knows a tag: one it does not know would shut the node out of every rule.
    """
    if not tags:
        raise InvalidError("a tagged node keeps one tag at least: to give it to a user again, log it in again there")
    for tag in tags:
        checked_tag(tag)
    node = state.get(Node, node_id)
    unknown = [tag for tag in tags if not known(tag)]
    if unknown:
        raise InvalidError(f"the policy does not know {', '.join(unknown)}: name it under tagOwners first")
    expiry = node.key_expiry if node.tags else None
    return _updated(state, replace(node, tags=tuple(sorted(set(tags))), key_expiry=expiry), now)


def move_node(state: State, node_id: int, user_id: int, now: datetime) -> Change:
    """The node becomes another user's; a tagged one loses its tags."""
    user = state.get(User, user_id)
    return _updated(state, replace(state.get(Node, node_id), user_id=user.id, tags=()), now)


def _updated(state: State, node: Node, now: datetime) -> Change:
    return Change(tailnet=state.tailnet_id, kind="node.updated", puts=(node,), at=now)
