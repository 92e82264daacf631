"""Policy evaluation: what a policy document means for each node of a tailnet."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from hatsize.hooks import hookspec
from hatsize.hooks.setup import Setup
from hatsize.policy.ssh import SSHCheck
from hatsize.tailnet.model import Node, User
from hatsize.tailnet.state import State
from hatsize.wire.tailcfg import DERPMap, FilterRule, SSHPolicy


class CompiledPolicy(Protocol):
    """A policy compiled for the tailnet as it is. Nodes have dense indexes; sets of nodes are ints used as bitsets."""

    def index_of(self, node_id: int) -> int:
        """The node's index, stable while the node exists."""

    def node_at(self, index: int) -> int:
        """The id of the node with an index."""

    def visible(self, node_id: int) -> int:
        """Which nodes this one sees, itself aside, as a bitset of indexes. Symmetric."""

    def class_of(self, node_id: int) -> int:
        """Nodes of one class are told the same about everybody else."""

    def filter_rules(self, node_id: int) -> Sequence[FilterRule]:
        """The node's packet filter, whole."""

    def filter_marks(self, node_id: int) -> Mapping[str, Hashable]:
        """By name of each fragment of the node's packet filter what it is made of, be it the fragment itself.

        A fragment whose mark is what it was is not sent again, unless the node's addresses changed. Nodes should share
        one mapping where they can: every open session keeps the one it was told.
        """

    def filter_fragments(
        self, node_id: int, names: Collection[str] | None = None
    ) -> Mapping[str, Sequence[FilterRule]]:
        """The node's packet filter as named fragments, all or those with the names."""

    def allowed_ips(self, viewer_id: int, peer_id: int) -> Sequence[str]:
        """What the viewer routes to the peer: its addresses and the routes it serves for this viewer."""

    def primary_routes(self, viewer_id: int, peer_id: int) -> Sequence[str]:
        """The subnet routes for which the peer is the viewer's primary."""

    def route_variant(self, viewer_id: int, peer_id: int) -> int | str | tuple[str, ...]:
        """Viewers with equal variants of a peer get equal `allowed_ips` and `primary_routes` for it."""

    def with_routers(self, primaries: Mapping[str, int], online: frozenset[int] | None) -> "CompiledPolicy":
        """The same with other nodes connected; `primaries` tells by route which node serves it as of now."""

    def primaries(self) -> Mapping[str, int]:
        """By subnet route the id of the node that serves it."""

    @property
    def derp_map(self) -> DERPMap | None:
        """The policy's own relays; None where it names none."""

    def ssh_policy(self, node_id: int) -> SSHPolicy:
        """Who may open SSH sessions on the node; no rules when nobody may."""

    def ssh_check(self, source_id: int, target_id: int, account: str) -> SSHCheck | None:
        """The rule under which a session into an account of the target is held; None when no such rule applies."""

    def self_cap_map(self, node_id: int) -> Mapping[str, Sequence[Any] | None]:
        """The node's own capabilities and attributes."""

    def peer_cap_map(self, viewer_id: int, peer_id: int) -> Mapping[str, Sequence[Any] | None]:
        """Capabilities of the peer that the viewer is told of."""

    def auto_approved(self, node: Node, route: str) -> bool:
        """Whether an advertised route needs nobody's approval."""

    def may_tag(self, user: User | None, tag: str) -> bool:
        """Whether a user, or an ownerless tagged node for None, may give the tag to a node."""

    def knows_tag(self, tag: str) -> bool:
        """Whether the policy gives the tag owners."""

    def address_pools(self, user: User | None, tags: Sequence[str]) -> Sequence[str]:
        """Prefixes from which such a node's IPv4 address must come; empty for the tailnet's own."""


class PolicyEngine(Protocol):
    """Reads policy documents and compiles them."""

    name: str

    def check(self, document: str, state: State) -> Sequence[str]:
        """Warnings about a document that may be saved; raises `hatsize.policy.PolicyError` for one that may not."""

    def compile(self, document: str | None, state: State, online: frozenset[int] | None = None) -> CompiledPolicy:
        """Compile a document, or the default of allowing everything where there is none.

        `online` has the ids of the connected nodes; None when nothing is known, and all count as connected.
        """

    def update(self, compiled: CompiledPolicy, state: State, nodes: Sequence[int]) -> tuple[CompiledPolicy, int]:
        """Compile anew what the change of some nodes touches; with the bitset of the nodes whose own artefacts changed.

        Own are the filter, SSH rules and capabilities; whom a node sees is asked for after every change.
        """


@runtime_checkable
class RevisingPolicyEngine(PolicyEngine, Protocol):
    """An engine that can go on from what it has compiled when the document or the users have changed.

    For any other one, saving a policy or changing a user is a `compile`, and everybody is looked at.
    """

    def revise(
        self, compiled: CompiledPolicy, document: str | None, state: State, nodes: Sequence[int]
    ) -> tuple[CompiledPolicy, int] | None:
        """The compiled policy under a document, for the state's users; `nodes` have changed at the same time.

        With the bitset of the nodes whose own artefacts changed, or whose routes are shown to others than before. What
        peers are told of all other nodes must be what it was. None where it has to be compiled anew.
        """


@hookspec
def hatsize_register_policy_engine(setup: Setup) -> PolicyEngine | Sequence[PolicyEngine]:  # type: ignore[empty-body]
    """Supply a policy engine. *Service*: chosen by `policy.engine`.

    Example:

        @hookimpl
        def hatsize_register_policy_engine(self, setup):
            return Upside()

        class Upside:
            name = "upside"

            def check(self, document, state):
                return ["this engine reads nothing"]

            def compile(self, document, state, online=0):
                raise NotImplementedError("see examples/hatsize-policy-source for a whole one")

            def update(self, compiled, state, nodes):
                return compiled, 0
    """


@hookspec
async def hatsize_node_attributes(state: State, node: Node) -> Mapping[str, Any] | None:
    """Contribute posture attributes of a node. *All*: the answers are joined.

    Names begin with the plugin's own and a colon, as `mdm:compliant`; others are not taken. Asked when a node registers
    or changes, and every five minutes; an attribute that is no longer given is removed.

    Example:

        @hookimpl
        async def hatsize_node_attributes(self, node):
            return {"mdm:compliant": node.hostinfo.OS != "linux"}
    """
