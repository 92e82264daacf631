"""The policy engine for a tailnet without a policy: everybody may reach everybody."""

from collections.abc import Mapping, Sequence
from typing import Any

from hatsize.hooks import hookimpl
from hatsize.hooks.policy import CompiledPolicy, PolicyEngine
from hatsize.tailnet.model import Node, User
from hatsize.tailnet.state import State
from hatsize.wire.tailcfg import FilterRule, NetPortRange, SSHPolicy

ALLOW_ALL = (FilterRule(SrcIPs=("*",), DstPorts=(NetPortRange(IP="*"),)),)


class OpenPolicy:
    def __init__(self, state: State) -> None:
        self._state = state

    def index_of(self, node_id: int) -> int:
        return self._state.ordinals.of(node_id)

    def node_at(self, index: int) -> int:
        return self._state.ordinals.at(index)

    def visible(self, node_id: int) -> int:
        return self._state.ordinals.all & ~(1 << self._state.ordinals.of(node_id))

    def class_of(self, node_id: int) -> int:
        del node_id
        return 0

    def filter_fragments(self, node_id: int) -> Mapping[str, Sequence[FilterRule]]:
        del node_id
        return {"base": ALLOW_ALL}

    def allowed_ips(self, viewer_id: int, peer_id: int) -> Sequence[str]:
        node = self._state.get(Node, peer_id)
        return [a + ("/128" if ":" in a else "/32") for a in node.addresses]

    def primary_routes(self, viewer_id: int, peer_id: int) -> Sequence[str]:
        return ()

    def route_variant(self, viewer_id: int, peer_id: int) -> int:
        return 0

    def ssh_policy(self, node_id: int) -> SSHPolicy:
        return SSHPolicy()

    def self_cap_map(self, node_id: int) -> Mapping[str, Sequence[Any]]:
        return {"https://tailscale.com/cap/file-sharing": (), "https://tailscale.com/cap/ssh": ()}

    def peer_cap_map(self, viewer_id: int, peer_id: int) -> Mapping[str, Sequence[Any]]:
        return {}

    def auto_approved(self, node: Node, route: str) -> bool:
        return False

    def may_tag(self, user: User | None, tag: str) -> bool:
        return False

    def address_pools(self, user: User | None, tags: Sequence[str]) -> Sequence[str]:
        return ()


class OpenEngine:
    name = "hujson"

    def check(self, document: str, state: State) -> Sequence[str]:
        return ()

    def compile(self, document: str | None, state: State, online: int = 0) -> CompiledPolicy:
        return OpenPolicy(state)

    def update(self, compiled: CompiledPolicy, state: State, nodes: Sequence[int]) -> tuple[CompiledPolicy, int]:
        return compiled, 0


class Plugin:
    @hookimpl
    def hatsize_register_policy_engine(self) -> PolicyEngine:
        return OpenEngine()
