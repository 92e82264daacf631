"""The server's own metrics, supplied through the hook that any plugin's are."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import hatsize
from hatsize.control.sessions import Hub
from hatsize.derp.server import DerpServer
from hatsize.derp.stun import StunCounters
from hatsize.hooks import hookimpl
from hatsize.hooks.delivery import Delivery
from hatsize.hooks.ledger import Ledger
from hatsize.hooks.lifecycle import Server
from hatsize.hooks.metrics import Figure, Sample
from hatsize.live.tailnet import LiveTailnet
from hatsize.server.relay_beside import RelayBeside
from hatsize.tailnet.model import Credential, LoginState, Node, PendingLogin, User

EXPIRING = timedelta(days=7)
"""How soon a key must end for its node to count as expiring."""


class CoreFigures:
    """What the parts of a server count."""

    stun: Callable[[], StunCounters] | None = None
    """Asked for the counters of STUN, where it is answered."""

    def __init__(
        self, live: LiveTailnet, hub: Hub, relay: DerpServer | RelayBeside | None, delivery: Delivery, ledger: Ledger
    ) -> None:
        self._live = live
        self._hub = hub
        self._relay = relay
        self._delivery = delivery
        self._ledger = ledger

    @hookimpl
    def hatsize_metrics(self, server: Server) -> Sequence[Figure]:
        del server
        return [*self._state(), *self._work(), *self._requests(), *self._relaying(), *self._plugins()]

    def _state(self) -> Iterator[Figure]:
        """Nodes, users, keys and logins there are."""
        state, now = self._live.state, self._live.clock()
        nodes = list(state.all(Node))
        expiry = [node.key_expiry for node in nodes if node.key_expiry is not None]
        users = Counter((user.role.value, user.status.value) for user in state.all(User))
        waiting = [login for login in state.all(PendingLogin) if login.state is LoginState.PENDING]
        keys = Counter(key.kind.value for key in state.all(Credential) if not key.revoked)
        yield gauge("info", "The version that runs.", [Sample(1, {"version": hatsize.__version__})])
        yield gauge("nodes", "Nodes that are registered.", [Sample(len(nodes))])
        yield gauge("nodes_online", "Nodes that are connected.", [Sample(len(self._live.netmap.scene.online))])
        yield gauge("nodes_expired", "Nodes whose key has expired.", [Sample(sum(end <= now for end in expiry))])
        yield gauge(
            "nodes_expiring", "Nodes whose key expires within a week.",
            [Sample(sum(now < end <= now + EXPIRING for end in expiry))],
        )  # fmt: skip
        yield gauge(
            "nodes_unapproved", "Nodes that wait for approval.", [Sample(sum(not node.authorized for node in nodes))]
        )
        yield gauge("users", "Users.", counted(users, "role", "status"))
        yield gauge("credentials", "Keys and tokens that are not revoked.", counted(keys, "kind"))
        yield gauge("logins_pending", "Logins that wait for somebody.", [Sample(len(waiting))])
        yield counter("changes", "Durable changes, since the tailnet was made.", [Sample(state.seq)])

    def _work(self) -> Iterator[Figure]:
        """Map sessions, policy and storage."""
        measures = self._live.measures
        yield gauge("map_sessions", "Map streams that are open.", [Sample(len(self._hub))])
        yield counter("map_messages", "Map messages sent.", counted(measures.messages, "kind"))
        yield counter("map_bytes", "Bytes of map messages sent.", counted(measures.message_bytes, "kind"))
        yield Figure(
            "hatsize_fan_out_seconds", "histogram", "From a change to the end of telling everybody.",
            [measures.fan_outs.distribution()],
        )  # fmt: skip
        yield Figure(
            "hatsize_policy_compile_seconds", "histogram", "Compiling the policy.", [measures.compiles.distribution()]
        )
        yield Figure(
            "hatsize_storage_commit_seconds", "histogram", "Storing a change.", [measures.commits.distribution()]
        )
        yield gauge("storage_queue", "Nodes whose reports are not stored yet.", [Sample(self._live.behind)])

    def _requests(self) -> Iterator[Figure]:
        """HTTP by route template."""
        measures = self._live.measures
        yield counter(
            "http_requests", "HTTP requests answered.", counted(measures.requests, "app", "method", "route", "status")
        )
        yield Figure(
            "hatsize_http_request_seconds", "histogram", "Until the head of an HTTP answer was ready.",
            [
                histogram.distribution(app=app, route=route)
                for (app, route), histogram in list(measures.request_seconds.items())
            ],
        )  # fmt: skip

    def _relaying(self) -> Iterator[Figure]:
        """DERP and STUN."""
        if self._relay is not None:
            yield from derp_figures(self._relay.counters.snapshot())
        if self.stun is not None:
            counters = self.stun()
            answered = {"ipv4": counters.answered_ipv4, "ipv6": counters.answered_ipv6}
            yield counter("stun_answers", "STUN requests answered.", counted(answered, "family"))
            yield counter("stun_malformed", "Datagrams that were no STUN requests.", [Sample(counters.malformed)])
            yield counter("stun_unsent", "STUN answers the system did not take.", [Sample(counters.unsent)])

    def _plugins(self) -> Iterator[Figure]:
        """What became of the calls to plugins."""
        ledger = self._ledger
        yield counter("plugin_calls", "Asynchronous calls to plugins.", counted(ledger.calls, "plugin", "hook"))
        yield counter("plugin_seconds", "Seconds spent in them.", counted(ledger.seconds, "plugin", "hook"))
        yield counter("plugin_errors", "Calls to plugins that failed.", counted(ledger.errors, "plugin", "hook"))
        yield counter("plugin_deadlines", "Calls to plugins cut off.", counted(ledger.deadlines, "plugin", "hook"))
        yield counter("plugin_held_up", "Calls that held up the server.", counted(ledger.held, "plugin", "hook"))
        yield counter("plugin_events_lost", "Events a plugin was too slow to hear.", counted(ledger.lost, "plugin"))
        yield gauge("plugin_queue", "Events that wait for a plugin.", counted(self._delivery.waiting, "plugin"))


DERP_GAUGES = ("clients", "homes", "duplicate_keys", "watchers", "mesh_peers")


def derp_figures(counters: Mapping[str, int | dict[str, int]]) -> Iterator[Figure]:
    """The relay's counters, each under its own name."""
    for name, value in counters.items():
        kind: Callable[..., Figure] = gauge if name in DERP_GAUGES else counter
        samples = counted(value, "reason") if isinstance(value, dict) else [Sample(value)]
        yield kind(f"derp_{name}", f"The relay's {name.replace('_', ' ')}.", samples)


def gauge(name: str, text: str, samples: Sequence[Sample]) -> Figure:
    return Figure(f"hatsize_{name}", "gauge", text, samples)


def counter(name: str, text: str, samples: Sequence[Sample]) -> Figure:
    return Figure(f"hatsize_{name}", "counter", text, samples)


def counted(counts: Mapping[Any, float], *labels: str) -> list[Sample]:
    """Samples of counts by key; a key's parts are the values of the labels."""
    return [Sample(value, dict(zip(labels, map(str, _parts(key)), strict=True))) for key, value in list(counts.items())]


def _parts(key: object) -> Iterable[object]:
    return key if isinstance(key, tuple) else (key,)
