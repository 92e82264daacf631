"""Each kind of service does what its documentation's example says it does."""

from dataclasses import replace
from ipaddress import IPv4Network

import msgspec
import pytest

from hatsize.hooks import hookimpl
from hatsize.hooks.auth import Deny, Registration
from hatsize.hooks.dns import PublishError
from hatsize.hooks.errors import PluginError
from hatsize.hooks.ipam import AllocationRequest, NoAddressError
from hatsize.hooks.manager import Plugins
from hatsize.hooks.storage import StorageError, StorageOptions
from hatsize.tailnet.model import PendingLogin
from hatsize.testing.contracts.storage_samples import NOON, a_node
from hatsize.wire.tailcfg import DNSConfig, RegisterRequest


@pytest.fixture
def service(example):
    """The services of the example of a kind's hook."""

    def find(kind):
        plugins = Plugins()
        plugins.add(example(f"hatsize_register_{kind}"), "example")
        return plugins.services(kind)

    return find


@pytest.mark.parametrize(("hour", "answer"), [(12, None), (3, Deny("come back between 8 and 18 o'clock UTC"))])
def test_hatsize_register_registration_decider(service, quiet_server, hour, answer):
    [decider] = service("registration_decider")
    asked = Registration(RegisterRequest(), "mkey:00", None, "192.0.2.1", NOON.replace(hour=hour))
    assert decider.decide(quiet_server.state, asked) == answer


def test_hatsize_register_login_provider(service):
    work, guest = service("login_provider")
    login = PendingLogin(id=1, auth_id="abc", machine_key="mkey:00", node_key="nodekey:00", created=NOON, expires=NOON)
    assert [each.start_url(login) for each in (work, guest)] == ["/portal/work?auth=abc", "/portal/guest?auth=abc"]


@pytest.mark.anyio
async def test_hatsize_register_password_provider(service):
    [door] = service("password_provider")
    assert (await door.check("ann", "sesame", "192.0.2.1")).identity.subject == "ann"
    assert await door.check("ann", "wrong", "192.0.2.1") is None


@pytest.mark.anyio
async def test_hatsize_register_credential_checker(service):
    [robots] = service("credential_checker")
    assert await robots.check("beep") == "welder"
    assert await robots.check("bleep") is None


def test_hatsize_register_ip_allocator(service):
    [allocator] = service("ip_allocator")
    node = msgspec.structs.replace(a_node(7), ipv4=None)
    request = AllocationRequest(node, None, [IPv4Network("100.64.0.0/24")], [], taken=lambda _: False)
    assert allocator.allocate(request) == ("100.64.0.7", node.ipv6)
    with pytest.raises(NoAddressError, match="node 7"):
        allocator.allocate(replace(request, taken=lambda _: True))


def test_hatsize_register_dns_provider(service, quiet_server):
    [provider] = service("dns_provider")
    desk, phone = (
        msgspec.structs.replace(a_node(), hostinfo=msgspec.structs.replace(a_node().hostinfo, OS=system))
        for system in ("linux", "iOS")
    )
    assert provider.configure(quiet_server.state, desk, DNSConfig()).Resolvers == DNSConfig().Resolvers
    assert [each.Addr for each in provider.configure(quiet_server.state, phone, DNSConfig()).Resolvers] == ["10.0.0.53"]


@pytest.mark.anyio
async def test_hatsize_register_challenge_publisher(service):
    [publisher] = service("challenge_publisher")
    assert publisher.domains() == ["example.com"]
    with pytest.raises(PublishError, match=r"ask the office to publish _acme-challenge.web.example.com"):
        await publisher.publish(a_node(), "_acme-challenge.web.example.com", "TXT", "x")


def test_hatsize_register_policy_engine(service, quiet_server):
    [engine] = service("policy_engine")
    assert engine.check("{}", quiet_server.state) == ["this engine reads nothing"]
    compiled = object()
    assert engine.update(compiled, quiet_server.state, [1]) == (compiled, 0)


def test_hatsize_register_storage(service):
    [factory] = service("storage")
    assert factory.schemes == ("paper",)
    with pytest.raises(StorageError, match="out of ink"):
        factory.create(StorageOptions("paper://a4", "/nonexistent"))


def test_hatsize_configured_is_told_the_plugins_place_first(example, tmp_path):
    plugin = example("hatsize_configured")
    Plugins(tmp_path).add(plugin, "door")
    assert plugin.folder == tmp_path / "door"


def test_hatsize_configured_may_stop_the_start():
    class Plugin:
        @hookimpl
        def hatsize_configured(self, setup):
            raise PluginError(f"plugins.{setup.name}.file: there is none")

    with pytest.raises(PluginError, match=r"plugins\.door\.file: there is none"):
        Plugins().add(Plugin(), "door")


def test_hatsize_configured_is_told_to_its_own_plugin_alone(example):
    first, second = example("hatsize_configured"), example("hatsize_configured")
    plugins = Plugins()
    plugins.add(first, "first")
    plugins.add(second, "second")
    assert first.folder.name == "first"
