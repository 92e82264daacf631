"""What the HTTP APIs need of the server they run in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from hatsize.live.services import Terms
from hatsize.policy.applied import AppliedRule
from hatsize.policy.explain import Explanation
from hatsize.policy.question import Question
from hatsize.tailnet.dns import DnsChoice
from hatsize.tailnet.model import Change, Node
from hatsize.tailnet.state import State
from hatsize.wire.tailcfg import DERPMap, DNSConfig, DNSRecord

Command = Callable[[State], Change | None]
"""Computes a change from the state as it is, or None for none; raises RefusedError."""


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """The policy in force as it was written, and when it was put in force."""

    text: str
    updated: datetime


@dataclass(frozen=True, slots=True)
class NodePing:
    """How a ping went that a node answered, or sent to another one."""

    milliseconds: float
    path: str = ""
    """How the other one was reached: `10.0.0.1:41641`, or `relay CODE`; empty for a node's own answer."""


class PolicyAccess(Protocol):
    """The policy in force, and the engine that judges new ones."""

    @property
    def read_only(self) -> str:
        """Why the policy cannot be saved here, with the mend; empty when it can."""

    @property
    def problem(self) -> str:
        """Why the policy in force is not the one its file holds; empty when it is, or where there is no file."""

    def current(self) -> PolicyDocument | None:
        """The policy in force; None when none was ever saved."""

    def check(self, document: str, state: State) -> Sequence[str]:
        """Warnings about a document that may be saved; PolicyError tells what is wrong with one that may not."""

    async def review(self, document: str) -> Sequence[str]:
        """What `check` says for the tailnet as it is, worked out beside the event loop."""

    async def preview(self, document: str | None, names: Sequence[str] = ()) -> Mapping[str, Any]:
        """By node name what each would be sent under a document, or is sent under the policy in force for None.

        `names` are those of some nodes, none for all. Raises PolicyError for a document that may not be saved,
        NotFoundError for a name, and InvalidError where there are too many nodes to show.
        """

    async def explain(self, document: str | None, src: str, question: Question) -> Explanation:
        """Which rules of a document, or of the policy in force for None, let `src` reach what is asked for.

        Raises PolicyError, and InvalidError that says which name is unknown, or that this engine gives no reasons.
        """

    async def rules_from(self, document: str | None, src: str) -> Sequence[AppliedRule]:
        """Which rules of a document, or of the policy in force for None, have somebody as a source.

        Raises as `explain` does.
        """

    async def rules_to(self, document: str | None, question: Question) -> Sequence[AppliedRule]:
        """Which rules open the port of a destination to anybody. Raises as `explain` does."""

    def knows_tag(self, tag: str) -> bool:
        """Whether the policy in force gives the tag owners."""

    def owns_tag(self, owners: Sequence[str], tag: str) -> bool:
        """Whether the policy in force makes one of the tags `owners` an owner of the tag, be it through other tags."""

    def serving(self, node_id: int) -> Sequence[str]:
        """The approved routes that the node serves now, the one of several that was chosen; exit routes last."""


class DnsAccess(Protocol):
    """The DNS that clients are told."""

    @property
    def base_domain(self) -> str:
        """The domain below which nodes have their names."""

    @property
    def configured(self) -> DnsChoice:
        """What the settings choose, where nothing was set at run time."""

    def other_records(self) -> Sequence[tuple[str, DNSRecord]]:
        """The records that are not the tailnet's own, each with where it comes from: `settings`, `file`, a plugin."""

    def config(self) -> DNSConfig:
        """What a node is told of which the policy says nothing."""


class ApiSettings(Protocol):
    """The part of the settings that the APIs read."""

    @property
    def cors_origins(self) -> Sequence[str]:
        """Where web consoles may be served from."""


class Live(Protocol):
    """A tailnet that is being served. Belongs to the event loop's thread."""

    @property
    def state(self) -> State:
        """What is true now; not to be changed by the caller."""

    @property
    def policy(self) -> PolicyAccess:
        """The policy in force."""

    @property
    def dns(self) -> DnsAccess:
        """The DNS in force."""

    @property
    def settings(self) -> ApiSettings:
        """The settings' section `api`."""

    @property
    def terms(self) -> Terms:
        """The settings that the tailnet goes by."""

    @property
    def configured(self) -> Terms:
        """The same as they are in the settings file, without what was set at run time."""

    def clock(self) -> datetime:
        """Now, aware and in UTC."""

    def is_online(self, node_id: int) -> bool:
        """Whether the node has a map stream open."""

    async def refresh(self) -> None:
        """Know all that is stored, by other replicas too."""

    async def run(self, command: Command) -> Change | None:
        """Carry out a command, one at a time, durable before this returns; raises RefusedError and StorageError."""

    async def presenter(self, credential: str) -> str:
        """Who a plugin says presents a credential that is none of ours; empty when none knows it.

        Raises the 503 Problem when none does, and one of them could not be asked.
        """

    async def register(self, auth_id: str, user_id: int, method: str) -> Node:
        """Complete the registration that waits under an auth id, as a user's; NotFoundError when none does.

        `method` is what the node then says let it in.
        """

    def addresses(self, state: State, node: Node) -> tuple[str | None, str | None]:
        """The (IPv4, IPv6) a node should have: those it has that still fit, or new ones. Called within a command."""

    async def ask_node(self, node_id: int, method: str, path: str, body: bytes) -> tuple[int, str, bytes]:
        """Carry an HTTP request out on a connected node's own client: status, content type and body of its answer.

        Raises the 504 Problem when it does not answer, and ValueError for what cannot be a request.
        """

    async def ping_node(self, node_id: int, address: str = "") -> NodePing:
        """Ask a connected node for a sign of life, or, with the address of another node, how it reaches that one.

        Raises the 504 Problem when it does not answer.
        """

    def warnings(self, node_id: int) -> Sequence[str]:
        """What the node's client says is wrong with its machine."""

    def derp_map(self) -> DERPMap:
        """The relays that clients are told of, as the newest clients are."""

    async def storage_problem(self) -> str:
        """Why the storage cannot be reached, or takes no changes, in words; empty when all is well."""
