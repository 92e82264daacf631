"""The plugin keeps the contract of password providers, with a real directory behind it."""

import pytest

from hatsize.testing.contracts.logins import PasswordProviderContract
from hatsize_ldap.provider import Asking, LdapPasswords
from tests.clients.lab import slapd as lab


@pytest.fixture(scope="module")
def patient(slapd_factory):
    """A directory with Ann in it, whom wrong passwords do not lock out."""
    server = slapd_factory()
    server.change(f"dn: cn=policy,{lab.BASE}\nchangetype: modify\nreplace: pwdLockout\npwdLockout: FALSE\n")
    server.add_person("ann")
    return server


@pytest.mark.slow
class TestSearchThenBind(PasswordProviderContract):
    @pytest.fixture
    def provider(self, directory, patient):
        return LdapPasswords(Asking("ldap", directory(patient, start_tls=False)), "Office")

    @pytest.fixture
    def account(self):
        return "ann", "ann-secret"


@pytest.mark.slow
class TestBindAtOnce(TestSearchThenBind):
    @pytest.fixture
    def provider(self, directory, patient):
        asked = directory(patient, start_tls=False, user_dn=f"uid={{username}},{lab.PEOPLE}")
        return LdapPasswords(Asking("ldap", asked), "Office")
