"""Which version this is, for `/version` and `hatsize version`."""

import platform
from typing import Any

import hatsize

HEADSCALE = "0.29.2"
"""The release whose API v1 this is. Consoles read the number, and take a lower one for the API of that time."""


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


def public_version() -> dict[str, Any]:
    """The same for `/version`: Headscale's number, with our own behind the plus and by itself."""
    own = hatsize.__version__
    return {**version_info(), "version": f"v{HEADSCALE}+hatsize.{own}", "hatsize": own}
