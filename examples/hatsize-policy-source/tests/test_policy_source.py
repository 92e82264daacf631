"""The folder's policy is put in force when it changes, and a wrong one is not."""

import json

import anyio
import pytest
from hatsize_policy_source.parts import PartsError, joined
from hatsize_policy_source.plugin import PolicySourcePlugin, Settings, in_force, look

from hatsize.hooks.manager import Plugins
from hatsize.policy.errors import PolicyError


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "10-base.json", {"groups": {"group:ops": ["ann@"]}, "acls": [{"action": "accept"}]})
    return tmp_path


def write(path, content):
    path.write_text(json.dumps(content))


@pytest.fixture
def server(tailnet):
    """The scratch tailnet as plugins see a server; it refuses the policies that say so."""

    class Server:
        state = tailnet.state
        saved = 0
        saved_again = anyio.Event()

        async def save_policy(self, document, author):
            if "wrong" in document:
                raise PolicyError("this is wrong")
            self.saved += 1
            await tailnet.save_policy(document)
            if self.saved > 1:
                self.saved_again.set()

    return Server()


def test_lists_are_appended_and_tables_merged(folder):
    write(folder / "20-web.json", {"groups": {"group:web": ["bob@"]}, "acls": [{"action": "drop"}]})
    assert json.loads(joined(folder)) == {
        "groups": {"group:ops": ["ann@"], "group:web": ["bob@"]},
        "acls": [{"action": "accept"}, {"action": "drop"}],
    }


@pytest.mark.parametrize(
    ("content", "words"),
    [('{"acls": {}}', "acls is given differently"), ("[]", "is not a JSON object"), ("{", "cannot be read")],
)
def test_what_cannot_be_joined_names_the_file(folder, content, words):
    (folder / "20-web.json").write_text(content)
    with pytest.raises(PartsError, match=f"20-web.json.*{words}"):
        joined(folder)


@pytest.mark.anyio
async def test_the_policy_is_in_force_before_the_server_takes_connections(folder, server):
    plugins = Plugins()
    plugins.add(PolicySourcePlugin(), "policy-source", Settings(folder=folder))
    async with plugins.running(server):
        assert json.loads(in_force(server)) == json.loads(joined(folder))


@pytest.mark.anyio
async def test_a_change_is_noticed(folder, server):
    plugins = Plugins()
    plugins.add(PolicySourcePlugin(), "policy-source", Settings(folder=folder, every_seconds=0.01))
    async with plugins.running(server):
        write(folder / "10-base.json", {"acls": []})
        with anyio.fail_after(5):
            await server.saved_again.wait()
    assert "group:ops" not in in_force(server)


@pytest.mark.anyio
async def test_what_has_not_changed_is_not_saved_again(folder, server):
    assert await look(server, folder, None) is None
    assert await look(server, folder, None) is None
    assert server.saved == 1


@pytest.mark.anyio
async def test_a_refused_policy_is_told_once_and_the_old_one_stays(folder, server, caplog):
    await look(server, folder, None)
    write(folder / "10-base.json", {"wrong": True})
    refused = await look(server, folder, None)
    assert await look(server, folder, refused) == refused
    assert caplog.text.count("is refused, the old one stays: this is wrong") == 1
    assert "group:ops" in in_force(server)
