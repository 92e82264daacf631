"""The plugin's wheel has all that the plugin needs, and nothing of its tests."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_templates_come_along(tmp_path):
    uv = Path(sys.executable).parent / "uv"
    if not uv.exists():
        pytest.skip("uv is not there: make install")
    subprocess.run([uv, "build", "--quiet", "--wheel", "--out-dir", tmp_path, ROOT], check=True)
    [wheel] = tmp_path.glob("*.whl")
    package = ROOT / "hatsize_oidc"
    ours = {str(path.relative_to(ROOT)) for path in package.rglob("*") if path.suffix in {".py", ".html", ".typed"}}
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == ours | {"hatsize_oidc/py.typed"}
