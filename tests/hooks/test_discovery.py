"""A plugin is found by its entry point, checked, and refused in words."""

import sys
from importlib.metadata import EntryPoint

import pytest

from hatsize.hooks import API_VERSION, discovery, hookimpl
from hatsize.hooks.discovery import Installed, find, installed, settings_model
from hatsize.hooks.errors import PluginError
from hatsize.hooks.manager import Plugins


@pytest.fixture
def announced(tmp_path, monkeypatch):
    """Writes a distribution with one plugin, whose module has this text."""

    def write(text, name="door", distribution="hatsize-door"):
        (tmp_path / f"{name}_plugin_module.py").write_text(text)
        info = tmp_path / f"{distribution.replace('-', '_')}-1.2.dist-info"
        info.mkdir()
        info.joinpath("METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\nSummary: A door\n"
        )
        info.joinpath("entry_points.txt").write_text(f"[hatsize]\n{name} = {name}_plugin_module:plugin\n")

    monkeypatch.syspath_prepend(tmp_path)
    yield write
    for module in [name for name in sys.modules if name.endswith("_plugin_module")]:
        del sys.modules[module]


def module(body, version=f'hatsize_api = "{API_VERSION}"'):
    lines = ["from hatsize.hooks import hookimpl", "class Plugin:", *("    " + line for line in [version, *body])]
    return "\n".join([*lines, "plugin = Plugin()"])


HEARS = ["@hookimpl", "async def hatsize_changed(self, change): ..."]


def test_an_installed_plugin_is_known_before_it_is_imported(announced):
    announced("raise RuntimeError('nobody asked for this')")
    door = installed()["door"]
    assert (door.distribution, door.version, door.summary) == ("hatsize-door", "1.2", "A door")
    assert "door_plugin_module" not in sys.modules


def test_a_sound_plugin_is_loaded(announced):
    announced(module(HEARS))
    plugins = Plugins()
    plugins.add(find("door").load(), "door")
    assert plugins.hooks_of("door") == ["hatsize_changed"]


def test_a_module_can_be_a_plugin():
    plugins = Plugins()
    plugins.add(sys.modules[__name__], "module")
    assert plugins.hooks_of("module") == ["hatsize_changed"]


@hookimpl
async def hatsize_changed(change):
    del change


def test_one_that_is_not_installed_is_named_with_what_there_is(announced):
    announced(module(HEARS))
    with pytest.raises(PluginError, match=r"'fence' is not installed; installed are: .*door.*install it with pip"):
        find("fence")


def test_a_misspelt_name_is_mended(announced):
    announced(module(HEARS))
    with pytest.raises(PluginError, match="did you mean 'door'"):
        find("dor")


def test_two_of_one_name_are_refused(announced):
    announced(module(HEARS))
    announced(module(HEARS), distribution="hatsize-door-too")
    with pytest.raises(PluginError, match=r"two plugins are named 'door', of .*hatsize-door.*uninstall one"):
        installed()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("raise RuntimeError('hinges')\n", "cannot be loaded: RuntimeError: hinges"),
        ("raise SystemExit('no licence')\n", "cannot be loaded: SystemExit: no licence"),
        ("import no_such_module\n", "cannot be loaded: ModuleNotFoundError: No module named 'no_such_module'"),
        ("plugin = 1 +\n", "cannot be loaded: SyntaxError"),
        ("pass\n", "cannot be loaded: AttributeError"),
        (module(HEARS).replace("Plugin()", "Plugin"), "is a class: let its entry point name an object"),
        ("class P:\n    hatsize_api = '1.0'\nplugin = P()\n", "marks no function with @hookimpl"),
        (module(HEARS, version="pass"), 'does not say which hook interface .* add `hatsize_api = "1.1"`'),
        (module(HEARS, version="hatsize_api = 1"), ".*the form is MAJOR.MINOR"),
        (module(HEARS, version='hatsize_api = "1.99"'), "was written for version 1.99 .* update hatsize"),
        (module(HEARS, version='hatsize_api = "2.0"'), "was written for version 2.0 .* update hatsize"),
        (module(HEARS, version='hatsize_api = "0.9"'), "was written for version 0.9 .* update the plugin"),
    ],
)
def test_a_broken_one_is_refused_in_words(announced, text, words):
    announced(text)
    with pytest.raises(PluginError, match=f"^plugin 'door' {words}"):
        find("door").load()


def refused(**functions):
    functions = {name: hookimpl(function) for name, function in functions.items()}
    plugin = type("Plugin", (), functions)()
    with pytest.raises(PluginError) as told:
        Plugins().add(plugin, "door")
    return str(told.value)


def test_a_misspelt_hook_is_named_with_the_one_that_was_meant():
    async def misspelt(self, change): ...

    text = refused(hatsize_chnaged=misspelt)
    assert text == "plugin 'door' cannot be used: hatsize_chnaged is not a hook; did you mean hatsize_changed?"


def test_an_argument_that_does_not_exist_is_named():
    async def hears(self, chance): ...

    assert "chance" in refused(hatsize_changed=hears)


def test_an_event_must_be_heard_asynchronously():
    def hears(self, change): ...

    assert refused(hatsize_changed=hears).endswith("hatsize_changed must be `async def`")


def test_a_service_must_be_supplied_synchronously():
    async def supplies(self, setup): ...

    assert refused(hatsize_register_storage=supplies).endswith("hatsize_register_storage must not be `async def`")


def test_nothing_wraps_a_hook():
    class Plugin:
        @hookimpl(wrapper=True)
        def hatsize_blueprints(self, server):
            return (yield)

    with pytest.raises(PluginError, match="bare @hookimpl"):
        Plugins().add(Plugin(), "door")


def test_settings_must_be_a_model():
    class Plugin:
        def hatsize_settings(self):
            return {"url": str}

    with pytest.raises(PluginError, match="hatsize_settings must return a pydantic model"):
        settings_model(Plugin(), "door")


def test_settings_that_cannot_be_had_are_told():
    class Plugin:
        def hatsize_settings(self):
            raise KeyError("url")

    with pytest.raises(PluginError, match="'door' failed in hatsize_settings: KeyError: 'url'"):
        settings_model(Plugin(), "door")


def test_an_entry_point_is_only_what_its_group_says():
    entry = EntryPoint("door", "json:dumps", discovery.GROUP)
    with pytest.raises(PluginError, match="marks no function"):
        Installed("door", "", "", "", entry).load()
