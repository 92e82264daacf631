"""MagicDNS keeps the contract of DNS providers."""

import pytest

from hatsize.builtin.magicdns import DnsDefaults, MagicDNS
from hatsize.testing.contracts.dns import DNSProviderContract


class TestMagicDNS(DNSProviderContract):
    @pytest.fixture
    def provider(self):
        return MagicDNS(DnsDefaults(base_domain="net.example", nameservers=["9.9.9.9"]))
