"""Which version this is, for `/version` and `hatsize version`."""

import platform
from typing import Any

import hatsize


def version_info() -> dict[str, Any]:
    """The version, in the fields that Headscale's `/version` has; `python` stands where it has `go`."""
    return {
        "version": hatsize.__version__,
        "commit": "unknown",
        "buildTime": "unknown",
        "python": {
            "version": platform.python_version(),
            "os": platform.system().lower(),
            "arch": platform.machine(),
        },
        "dirty": False,
    }
