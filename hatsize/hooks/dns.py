"""DNS: what names a node resolves, and with which resolvers."""

from collections.abc import Sequence
from typing import Protocol

from hatsize.hooks import hookspec
from hatsize.hooks.setup import Setup
from hatsize.tailnet.model import Node
from hatsize.tailnet.state import State
from hatsize.wire.tailcfg import DNSConfig, DNSRecord


class DNSProvider(Protocol):
    """Makes the DNS configuration of a node. Providers are asked in the settings' order, each given the last one's
    result."""

    name: str

    def configure(self, state: State, node: Node, config: DNSConfig) -> DNSConfig:
        """`config` with what this provider adds for the node. Pure, and quick: it is called for each netmap that is
        built."""


class PublishError(Exception):
    """A challenge that cannot be published; the message is for the person at the client."""


class ChallengePublisher(Protocol):
    """Publishes ACME dns-01 challenges on authoritative DNS, so that `tailscale cert` works.

    Nodes below its domains are told that they may have certificates.
    """

    name: str

    async def publish(self, node: Node, name: str, record_type: str, value: str) -> None:
        """Return once the record is effective, beside others of that name; raises PublishError.

        The core asks for `TXT` of `_acme-challenge.NODE` alone, and gives it a minute. The publisher takes the record
        away again once authorities had time to look.
        """

    def domains(self) -> Sequence[str]:
        """The domains below which it can publish, without a dot at the end. Quick: asked for each netmap."""


def publishes(publisher: ChallengePublisher, name: str) -> bool:
    """Whether a publisher's domains hold a name, which has no dot at its end."""
    return any(name == domain or name.endswith("." + domain) for domain in publisher.domains())


@hookspec
def hatsize_register_dns_provider(setup: Setup) -> DNSProvider | Sequence[DNSProvider]:  # type: ignore[empty-body]
    """Supply a DNS provider. *Service*: all are used, in the settings' order, MagicDNS first.

    Example:

        @hookimpl
        def hatsize_register_dns_provider(self, setup):
            return PhonesUseOurs()

        class PhonesUseOurs:
            name = "phones"

            def configure(self, state, node, config):
                if node.hostinfo.OS not in {"iOS", "android"}:
                    return config
                return msgspec.structs.replace(config, Resolvers=(*config.Resolvers, Resolver(Addr="10.0.0.53")))
    """


@hookspec
def hatsize_register_challenge_publisher(  # type: ignore[empty-body]
    setup: Setup,
) -> ChallengePublisher | Sequence[ChallengePublisher]:
    """Supply a publisher of challenge records. *Service*: the first one whose domains fit is used.

    Example:

        @hookimpl
        def hatsize_register_challenge_publisher(self, setup):
            return ByHand()

        class ByHand:
            name = "by-hand"

            def domains(self):
                return ["example.com"]

            async def publish(self, node, name, record_type, value):
                raise PublishError(f"ask the office to publish {name} {record_type} {value}")
    """


@hookspec
async def hatsize_dns_records(state: State) -> Sequence[DNSRecord]:  # type: ignore[empty-body]
    """Contribute records that every node resolves. *All*: the answers are joined, in the settings' order.

    Asked at the start and then every half minute; while a plugin does not answer, its last records stay.

    Example:

        @hookimpl
        async def hatsize_dns_records(self, state):
            return [DNSRecord(Name="printer.office.internal", Value="192.168.1.9")]
    """
