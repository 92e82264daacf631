"""`hatsize derp`: what is refused before it relays, and how the relays of a map are."""

import json
import socket

import pytest

NOBODY = {
    "RegionID": 900, "RegionCode": "lab", "RegionName": "Lab",
    "Nodes": [{"Name": "900a", "RegionID": 900, "HostName": "127.0.0.1", "IPv4": "127.0.0.1", "STUNPort": -1}],
}  # fmt: skip


@pytest.fixture
def derp_map():
    """A map of one relay, at a port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        NOBODY["Nodes"][0]["DERPPort"] = probe.getsockname()[1]
    return {"Regions": {"900": NOBODY}}


def test_the_servers_map_is_asked_for_and_its_relays_are_looked_at(hatsize, server, derp_map):
    server.answer("GET /derpmap", {"derpMap": derp_map})
    result = hatsize("derp", "status")
    assert result.code == 1
    assert "900 lab" in result.out
    assert "DERP: " in result.out


def test_a_map_in_a_file(hatsize, derp_map, tmp_path):
    path = tmp_path / "map.json"
    path.write_text(json.dumps(derp_map))
    result = hatsize(*f"derp status --map {path} -o json".split())
    assert result.code == 1
    (found,) = result.json
    assert (found["regionId"], found["node"], found["healthy"]) == (900, "900a", False)
    assert (found["stunMs"], found["derpMs"]) == (None, None)


def test_a_file_that_is_no_map_is_named(hatsize, tmp_path):
    path = tmp_path / "map.json"
    path.write_text('{"Regions": {"900": {"RegionID": 901}}}')
    result = hatsize(*f"derp status --map {path}".split())
    assert result.code == 1
    assert f"{path}: DERP region 900 says RegionID 901" in result.err


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("derp --mesh-with https://other", "give --mesh-key-file"),
        ("derp --processes 2 --mesh-key-file mesh.key", "several processes mesh with each other only"),
        ("derp --cert-file a.pem", "a certificate needs its key"),
        ("derp --rate-limit 1000 --rate-burst 10", "never admits the largest packet"),
        ("derp --listen nowhere", "nowhere"),
        ("derp --verify-client-url ftp://other/verify", "'ftp://other/verify' is no URL: write https://HOST/verify"),
        ("derp --verify-client-url https://other:99999/", "is no URL"),
        ("derp --bootstrap-dns a..example", "'a..example' is no name that DNS could have"),
        ("derp --mesh-with https://a..example", "is no mesh peer: write https://host[:port]"),
        ("derp --mesh-key-file gone.key", "cannot read the mesh key file gone.key: No such file or directory"),
        ("derp --mesh-ca-file gone.pem --listen 127.0.0.1:0", "--mesh-ca-file gone.pem: No such file or directory"),
        ("derp --user nobody-of-that-name --processes 2 --listen 127.0.0.1:0", "no user 'nobody-of-that-name'"),
    ],
)
def test_what_cannot_be_is_refused_with_the_mend(hatsize, line, words, tmp_path):
    result = hatsize(*f"{line} --data-dir {tmp_path}".split())
    assert result.code == 2
    assert words in result.err


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_port_in_use_is_named(hatsize, tmp_path, processes):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        result = hatsize(*f"derp --data-dir {tmp_path} --listen {address} --processes {processes} --stun=".split())
    assert result.code == 1
    assert f"cannot listen on {address}: Address already in use; choose another with --listen" in result.err


def test_an_option_is_a_variable_too(hatsize, tmp_path, monkeypatch):
    monkeypatch.setenv("HATSIZE_RELAY_MESH_WITH", "https://other")
    result = hatsize(*f"derp --data-dir {tmp_path}".split())
    assert result.code == 2
    assert "give --mesh-key-file" in result.err
