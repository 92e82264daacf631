"""The examples in the hooks' docstrings keep the contracts that plugin authors test theirs with."""

import pytest

from hatsize.hooks.manager import Plugins
from hatsize.testing.contracts.credentials import CredentialCheckerContract
from hatsize.testing.contracts.logins import LoginProviderContract


@pytest.fixture
def first(example):
    """The first service of the example of a kind's hook."""

    def find(kind):
        plugins = Plugins()
        plugins.add(example(f"hatsize_register_{kind}"), "example")
        return plugins.services(kind)[0]

    return find


class TestRobots(CredentialCheckerContract):
    @pytest.fixture
    def checker(self, first):
        return first("credential_checker")

    @pytest.fixture
    def credential(self):
        return "beep"


class TestButton(LoginProviderContract):
    @pytest.fixture
    def provider(self, first):
        return first("login_provider")
