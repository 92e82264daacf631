"""The provider of certificate domains keeps the contract of DNS providers, and names what can be published for."""

from types import SimpleNamespace

import pytest

from hatsize.builtin.certificates import CertificateDomains
from hatsize.testing.contracts.dns import DNSProviderContract
from hatsize.testing.contracts.storage_samples import a_node
from hatsize.wire.tailcfg import DNSConfig


def publisher(*domains):
    return SimpleNamespace(domains=lambda: domains)


class TestCertificateDomains(DNSProviderContract):
    @pytest.fixture
    def provider(self):
        return CertificateDomains("net.example.com", lambda: [publisher("example.com")])


@pytest.mark.parametrize(
    ("domains", "there"),
    [
        (["net.example.com"], True),
        (["example.com"], True),
        (["t.example.com"], False),
        (["com", ""], True),
        ([], False),
    ],
)
def test_a_node_may_have_a_certificate_of_a_name_below_a_publishers_domain(domains, there):
    provider = CertificateDomains("net.example.com", lambda: [publisher(*domains)])
    own = f"{a_node().given_name}.net.example.com"
    assert provider.configure(None, a_node(), DNSConfig()).CertDomains == ((own,) if there else ())
