"""The examples in the hooks' docstrings keep the contracts that plugin authors test theirs with."""

from importlib import import_module
from pkgutil import iter_modules

import pytest

from hatsize.hooks.kinds import KINDS
from hatsize.hooks.manager import Plugins
from hatsize.testing import contracts
from hatsize.testing.contracts.credentials import CredentialCheckerContract
from hatsize.testing.contracts.logins import LoginProviderContract
from hatsize.testing.contracts.replicas import ReplicationContract


@pytest.fixture
def first(example):
    """The first service of the example of a kind's hook."""

    def find(kind):
        plugins = Plugins()
        plugins.add(example(f"hatsize_register_{kind}"), "example")
        return plugins.services(kind)[0]

    return find


def test_every_kind_of_service_has_a_contract():
    modules = [import_module(each.name) for each in iter_modules(contracts.__path__, f"{contracts.__name__}.")]
    there = {name for module in modules for name in vars(module)}
    assert {f"{interface.__name__.removesuffix('Factory')}Contract" for interface in KINDS.values()} <= there


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


class TestTwin(ReplicationContract):
    @pytest.fixture
    def replication(self, first):
        return first("replication")
