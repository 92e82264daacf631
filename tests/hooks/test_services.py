"""Services: supplied once, by name, and held to their interface."""

import pytest

from hatsize.hooks import areas, hookimpl
from hatsize.hooks.errors import PluginError
from hatsize.hooks.kinds import KINDS, members
from hatsize.hooks.manager import Plugins


class Allocator:
    def __init__(self, name="book"):
        self.name = name

    def allocate(self, request):
        return None, None


def supplying(kind, *services):
    def supply(self, setup):
        return list(services) if len(services) != 1 else services[0]

    return type("Plugin", (), {f"hatsize_register_{kind}": hookimpl(supply)})()


def test_every_kind_has_its_hook_and_every_hook_its_kind():
    hooks = {name.removeprefix("hatsize_register_") for name in areas.all_hooks() if "_register_" in name}
    assert hooks == set(KINDS)


def test_members_of_an_interface_are_its_attributes_and_methods():
    assert members(KINDS["login_provider"]) == ["name", "title", "start_url"]


def test_several_of_a_kind_stand_side_by_side_in_the_plugins_order():
    plugins = Plugins()
    plugins.add(supplying("ip_allocator", Allocator("b"), Allocator("a")), "one")
    plugins.add(supplying("ip_allocator", Allocator("c")), "two")
    assert [service.name for service in plugins.services("ip_allocator")] == ["b", "a", "c"]
    assert plugins.service("ip_allocator", "a").name == "a"


def test_a_plugin_may_have_none_to_supply():
    plugins = Plugins()
    plugins.add(supplying("ip_allocator", None), "none")
    assert plugins.services("ip_allocator") == []


def test_services_are_asked_for_once():
    asked = []

    class Plugin:
        @hookimpl
        def hatsize_register_ip_allocator(self):
            asked.append(1)
            return Allocator()

    plugins = Plugins()
    plugins.add(Plugin(), "door")
    assert plugins.services("ip_allocator") is plugins.services("ip_allocator")
    assert asked == [1]


def test_a_service_knows_its_plugins_place(tmp_path):
    class Plugin:
        @hookimpl
        def hatsize_register_ip_allocator(self, setup):
            return Allocator(f"{setup.name} {setup.settings} {setup.data_dir.name}")

    plugins = Plugins(tmp_path)
    plugins.add(Plugin(), "door", "open")
    assert plugins.services("ip_allocator")[0].name == f"door open {tmp_path.name}"


def test_an_unknown_name_is_told_with_the_names_there_are():
    plugins = Plugins()
    plugins.add(supplying("ip_allocator", Allocator("book")), "door")
    with pytest.raises(PluginError, match="no IP allocator is named 'boko'; there is: book"):
        plugins.service("ip_allocator", "boko")


def test_a_service_that_lacks_something_is_refused():
    plugins = Plugins()
    plugins.add(supplying("login_provider", Allocator()), "door")
    with pytest.raises(PluginError, match="login provider that plugin 'door' supplies lacks title, start_url: see"):
        plugins.services("login_provider")


def test_one_name_for_two_services_is_refused():
    plugins = Plugins()
    plugins.add(supplying("ip_allocator", Allocator("book")), "one")
    plugins.add(supplying("ip_allocator", Allocator("book")), "two")
    with pytest.raises(PluginError, match="IP allocator 'book' is supplied by 'one' and 'two': rename or disable one"):
        plugins.services("ip_allocator")


def test_one_name_twice_in_a_plugin_is_refused():
    plugins = Plugins()
    plugins.add(supplying("ip_allocator", Allocator("book"), Allocator("book")), "one")
    with pytest.raises(PluginError, match="by 'one', twice"):
        plugins.services("ip_allocator")


def test_a_plugin_that_fails_to_supply_is_named():
    class Plugin:
        @hookimpl
        def hatsize_register_ip_allocator(self):
            raise OSError("book.csv is not there")

    plugins = Plugins()
    plugins.add(Plugin(), "door")
    with pytest.raises(PluginError, match=r"'door' failed in hatsize_register_ip_allocator: OSError: book.csv"):
        plugins.services("ip_allocator")


def test_all_services_can_be_asked_for_at_once():
    plugins = Plugins()
    plugins.add(supplying("ip_allocator", Allocator()), "sound")
    plugins.ask_for_all()
    plugins.add(supplying("login_provider", Allocator()), "door")
    with pytest.raises(PluginError, match="that plugin 'door' supplies lacks title"):
        plugins.ask_for_all()
