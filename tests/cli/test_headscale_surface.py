"""Headscale's whole command line (0.30): each noun, verb, alias and flag is understood here."""

import json

import click
import pytest

from hatsize.cli.main import command

COMMON = "-c --config -o --output --force"
BYPASS = "--bypass-server-and-access-database-directly"
SURFACE = {
    "serve": "",
    "configtest": "",
    "version": "",
    "health": "",
    "generate|gen private-key": "",
    "completion": "",
    "dumpConfig": "",
    "users|user create|c|new": "-d --display-name -e --email -p --picture-url",
    "users|user list|ls|show": "-i --identifier -n --name -e --email",
    "users|user destroy|delete": "-i --identifier -n --name",
    "users|user rename|mv": "-i --identifier -n --name -r --new-name",
    "nodes|node list|ls|show": "-u --user",
    "nodes|node list-routes|lsr|routes": "-i --identifier",
    "nodes|node register": "-u --user -k --key",
    "nodes|node expire|logout|exp|e": "-i --identifier -e --expiry -d --disable",
    "nodes|node rename": "-i --identifier",
    "nodes|node delete|del": "-i --identifier",
    "nodes|node tag|tags|t": "-i --identifier -t --tags",
    "nodes|node approve-routes": "-i --identifier -r --routes",
    "nodes|node backfillips": "",
    "preauthkeys|preauthkey|authkey|pre list|ls|show": "",
    "preauthkeys|preauthkey|authkey|pre create|c|new": "--reusable --ephemeral -e --expiration --tags -u --user",
    "preauthkeys|preauthkey|authkey|pre expire|revoke|exp|e": "-i --id",
    "preauthkeys|preauthkey|authkey|pre delete|del|rm|d": "-i --id",
    "apikeys|apikey|api list|ls|show": "",
    "apikeys|apikey|api create|c|new": "-e --expiration",
    "apikeys|apikey|api expire|revoke|exp|e": "-p --prefix -i --id",
    "apikeys|apikey|api delete|remove|del": "-p --prefix -i --id",
    "oauth-clients|oauth-client|oauthclients|oauthclient|oauth create|c|new": "-s --scope -t --tag -d --description",
    "oauth-clients|oauth-client|oauthclients|oauthclient|oauth list|ls|show": "",
    "oauth-clients|oauth-client|oauthclients|oauthclient|oauth delete|remove|del": "-i --id",
    "auth register": "-u --user --auth-id",
    "auth approve": "--auth-id",
    "auth reject": "--auth-id",
    "policy get|show|view|fetch": BYPASS,
    "policy set|put|update": f"-f --file {BYPASS}",
    "policy check": f"-f --file {BYPASS}",
    "debug create-node": "--name --user -u --key -k --route -r",
}
"""Flags by command; the names of a noun or verb have bars between."""
LINES = [
    (line, flags.split())
    for names, flags in SURFACE.items()
    for nouns, _, verbs in [names.partition(" ")]
    for noun in nouns.split("|")
    for line in ([f"{noun} {verb}" for verb in verbs.split("|")] if verbs else [noun])
]


def found(line):
    """The command that a line of words leads to."""
    here, context = command, click.Context(command)
    for word in line.split():
        assert isinstance(here, click.Group)
        here = here.get_command(context, word)
        assert here is not None, f"no command {word!r} in {line!r}"
    return here


@pytest.mark.parametrize(("line", "flags"), LINES)
def test_a_command_of_headscale_takes_its_flags(line, flags):
    taken = {option for parameter in found(line).params for option in parameter.opts}
    assert {*flags, *COMMON.split()} <= taken


@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
def test_the_completion_of_a_shell_asks_the_program_itself(hatsize, shell):
    assert "_HATSIZE_COMPLETE" in hatsize("completion", shell).out


@pytest.mark.parametrize(("output", "start"), [("json", '{\n\t"private_key": '), ("json-line", '{"private_key":"')])
def test_a_private_key_is_made_as_headscale_writes_it(hatsize, output, start):
    assert hatsize("gen", "private-key").out.startswith("privkey:")
    assert hatsize("gen", "private-key", "-o", output).out.startswith(start)


def test_several_routes_and_tags_are_given_with_commas_or_one_by_one(hatsize, server):
    server.answer("POST /node/3/approve_routes", {"node": {}})
    hatsize("nodes", "approve-routes", "-i", "3", "-r", "10.0.0.0/8,10.1.0.0/16", "-r", "::/0")
    assert server.asked[-1][1] == {"routes": ["10.0.0.0/8", "10.1.0.0/16", "::/0"]}


def test_a_node_that_waits_is_made_for_tests(hatsize, server):
    server.answer("POST /debug/node", {"node": {"id": "0"}})
    made = hatsize("debug", "create-node", "--name", "n", "-u", "alice", "-k", "x", "-r", "10.0.0.0/8", "-o", "json")
    assert made.json == {"id": "0"}
    assert server.asked[-1][1] == {"name": "n", "user": "alice", "key": "x", "routes": ["10.0.0.0/8"]}


def test_the_settings_in_force_are_dumped_without_secrets(hatsize, tmp_path, monkeypatch):
    config = tmp_path / "hatsize.toml"
    config.write_text('[dns]\nbase_domain = "from.example"\n[database]\nurl = "postgresql://u:hush@db/h"\n')
    result = hatsize("dumpConfig", "--config", str(config), "-o", "json")
    assert json.loads(result.out)["dns"]["base_domain"] == "from.example"
    assert "hush" not in result.out
    monkeypatch.setenv("HATSIZE_CONFIG", str(config))
    assert "base_domain: from.example" in hatsize("dumpConfig").out
