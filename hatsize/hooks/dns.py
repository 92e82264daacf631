"""DNS: what names a node resolves, and with which resolvers."""

from collections.abc import Sequence
from typing import Protocol

from hatsize.hooks import hookspec
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


class ChallengePublisher(Protocol):
    """Publishes ACME dns-01 challenges on authoritative DNS, so that `tailscale cert` works."""

    name: str

    async def publish(self, node: Node, name: str, record_type: str, value: str) -> None:
        """Return once the record is effective; raises with words for the client otherwise."""

    def domains(self) -> Sequence[str]:
        """The domains below which it can publish."""


@hookspec
def hatsize_register_dns_provider() -> DNSProvider:  # type: ignore[empty-body]
    """Supply a DNS provider. *Service*: all enabled ones are used, in the settings' order."""


@hookspec
def hatsize_register_challenge_publisher() -> ChallengePublisher:  # type: ignore[empty-body]
    """Supply a publisher of challenge records. *Service*: the first one whose domains fit is used."""


@hookspec
async def hatsize_dns_records(state: State) -> Sequence[DNSRecord]:  # type: ignore[empty-body]
    """Contribute extra records of the whole tailnet. *All*: the results are joined."""
