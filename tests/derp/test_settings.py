"""What a relay on its own is told, and what is wrong with it."""

import pytest

from hatsize.derp.mesh import MeshPeer
from hatsize.derp.settings import RelaySettings, SettingsError, read_mesh_key


def test_a_mesh_needs_a_key(tmp_path):
    with pytest.raises(SettingsError, match="--mesh-key-file"):
        RelaySettings(tmp_path, mesh_with=(MeshPeer("relay", 443, tls=True),))


@pytest.mark.parametrize("given", ["certificate", "certificate_key"])
def test_a_certificate_needs_its_key(tmp_path, given):
    with pytest.raises(SettingsError, match="both files or neither"):
        RelaySettings(tmp_path, **{given: tmp_path / "file"})


def test_a_mesh_key_file_is_64_digits(tmp_path):
    (tmp_path / "key").write_text("\n" + "5a" * 32 + "\n")
    assert read_mesh_key(tmp_path / "key") == "5a" * 32


@pytest.mark.parametrize("content", [b"", b"5a", b"5A" * 32, b"\xff" * 64])
def test_what_is_no_mesh_key(tmp_path, content):
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(SettingsError, match="mesh key"):
        read_mesh_key(tmp_path / "key")


def test_a_mesh_key_file_that_is_not_there(tmp_path):
    with pytest.raises(SettingsError, match="No such file"):
        read_mesh_key(tmp_path / "key")
