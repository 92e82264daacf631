"""Ways to find a record other than by its id."""

from typing import TypeVar

from hatsize.tailnet.model import Credential, Node, PendingLogin, PluginItem, Record, User
from hatsize.wire.keys import MachineKey, NodeKey

K = TypeVar("K")


class Indexes:
    """Unique lookups into one tailnet's records, kept in step by `State`."""

    def __init__(self) -> None:
        self.node_by_key: dict[NodeKey, int] = {}
        self.nodes_by_machine: dict[MachineKey, set[int]] = {}
        self.node_by_name: dict[str, int] = {}
        self.node_by_address: dict[str, int] = {}
        self.node_by_stable_id: dict[str, int] = {}
        self.nodes_by_user: dict[int, set[int]] = {}
        self.user_by_name: dict[str, int] = {}
        self.user_by_identity: dict[tuple[str, str], int] = {}
        self.credential_by_prefix: dict[str, int] = {}
        self.login_by_auth_id: dict[str, int] = {}
        self.plugin_items: dict[str, dict[str, int]] = {}
        """By the plugin's name, then by the item's key."""

    def add(self, record: Record) -> None:
        match record:
            case Node():
                self._add_node(record)
            case User():
                self.user_by_name[record.name] = record.id
                for identity in record.identities:
                    self.user_by_identity[identity.provider, identity.subject] = record.id
            case Credential():
                self.credential_by_prefix[record.prefix] = record.id
            case PendingLogin():
                self.login_by_auth_id[record.auth_id] = record.id
            case PluginItem():
                self.plugin_items.setdefault(record.plugin, {})[record.key] = record.id

    def remove(self, record: Record) -> None:
        """Take a record's entries out, but for those that another record of the same change has taken over."""
        match record:
            case Node():
                self._remove_node(record)
            case User():
                _release(self.user_by_name, record.name, record.id)
                for identity in record.identities:
                    _release(self.user_by_identity, (identity.provider, identity.subject), record.id)
            case Credential():
                _release(self.credential_by_prefix, record.prefix, record.id)
            case PendingLogin():
                _release(self.login_by_auth_id, record.auth_id, record.id)
            case PluginItem():
                _release(self.plugin_items[record.plugin], record.key, record.id)

    def _add_node(self, node: Node) -> None:
        self.node_by_key[node.node_key] = node.id
        self.nodes_by_machine.setdefault(node.machine_key, set()).add(node.id)
        self.node_by_name[node.given_name] = node.id
        self.node_by_stable_id[node.stable_id] = node.id
        for address in node.addresses:
            self.node_by_address[address] = node.id
        if node.user_id is not None:
            self.nodes_by_user.setdefault(node.user_id, set()).add(node.id)

    def _remove_node(self, node: Node) -> None:
        _release(self.node_by_key, node.node_key, node.id)
        _drop(self.nodes_by_machine, node.machine_key, node.id)
        _release(self.node_by_name, node.given_name, node.id)
        _release(self.node_by_stable_id, node.stable_id, node.id)
        for address in node.addresses:
            _release(self.node_by_address, address, node.id)
        if node.user_id is not None:
            _drop(self.nodes_by_user, node.user_id, node.id)


def _release(index: dict[K, int], key: K, record_id: int) -> None:
    """Forget what an entry says, if it says it of this record."""
    if index.get(key) == record_id:
        del index[key]


def _drop(index: dict[K, set[int]], key: K, record_id: int) -> None:
    members = index.get(key)
    if members is not None:
        members.discard(record_id)
        if not members:
            del index[key]
