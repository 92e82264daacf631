"""Makes a machine ready for the lab: Debian packages where root may install them, Go programs, npm packages and
programs in Java into the cache.

    python -m tests.clients.lab.install

Exits 0 when the lab can run, 77 when it cannot and nobody insists, 1 when it cannot but must (`CI=true`).
"""

import os
import shutil
import subprocess
import sys

from tests.clients.lab import binaries, maven, npm, requirements

READY, FAILED, SKIPPED = 0, 1, 77
APT_DEADLINE = 600.0


def main() -> int:
    install_packages()
    if lacks := requirements.missing():
        verdict = "FAILED" if requirements.required() else "SKIPPED"
        print(f"real-client tests {verdict}: this machine lacks {', '.join(lacks)}")
        return FAILED if requirements.required() else SKIPPED
    for program in binaries.NEEDED:
        print(f"real clients: {program.package}@v{program.version} in {program.path.parent}", flush=True)
        binaries.install([program])
    binaries.storm()
    binaries.api_client()
    for package in npm.needed():
        print(f"real clients: {package.name} {package.version} in {package.folder}", flush=True)
        package.install()
    for distribution in maven.NEEDED:
        print(f"real clients: {distribution.name} {distribution.version} in {distribution.folder}", flush=True)
        distribution.install()
    return READY


def install_packages() -> None:
    """Fetch the Debian packages of commands that are missing; nothing without root and apt."""
    packages = requirements.packages_to_install()
    if not packages or os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    print(f"real clients: installing {', '.join(packages)}", flush=True)
    _apt("update")
    _apt("install", "--yes", "--no-install-recommends", *packages)


def _apt(*arguments: str) -> None:
    # the run level keeps the packages' services from being started
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    subprocess.run(["apt-get", "-qq", *arguments], env=env, check=True, timeout=APT_DEADLINE)


if __name__ == "__main__":
    sys.exit(main())
