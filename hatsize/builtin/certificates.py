"""Which names nodes may have certificates of: their own, where somebody publishes challenges for it."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from hatsize.hooks import hookimpl
from hatsize.hooks.dns import ChallengePublisher, DNSProvider, publishes
from hatsize.tailnet.model import Node
from hatsize.tailnet.state import State
from hatsize.wire.tailcfg import DNSConfig


class CertificateDomains:
    """Tells a node that it may have a certificate of its own name."""

    name = "certificates"

    def __init__(self, base_domain: str, publishers: Callable[[], Sequence[ChallengePublisher]]) -> None:
        self._base_domain = base_domain
        self._publishers = publishers

    def configure(self, state: State, node: Node, config: DNSConfig) -> DNSConfig:
        del state
        own = f"{node.given_name}.{self._base_domain}"
        if not any(publishes(publisher, own) for publisher in self._publishers()):
            return config
        return replace(config, CertDomains=(*config.CertDomains, own))


class CertificateDomainsPlugin:
    """Supplies the provider."""

    def __init__(self, base_domain: str, publishers: Callable[[], Sequence[ChallengePublisher]]) -> None:
        self._provider = CertificateDomains(base_domain, publishers)

    @hookimpl
    def hatsize_register_dns_provider(self) -> DNSProvider:
        return self._provider
