"""A ping that goes on while other things happen, and then tells what was lost."""

import re
import signal

from tests.clients.lab.daemon import Daemon
from tests.clients.lab.namespaces import Namespace

SUMMARY = re.compile(r"(\d+) packets transmitted, (\d+) received")
PER_SECOND = 5


class SteadyPing:
    """Five echo requests a second by a machine's kernel, from now until `lost` is asked for."""

    def __init__(self, machine: Namespace, address: str) -> None:
        self._log = machine.directory / "ping.log"
        self._log.unlink(missing_ok=True)
        self._daemon = Daemon(machine, "ping", "-n", "-i", f"{1 / PER_SECOND}", address, log=self._log)

    def lost(self) -> int:
        """End it; how many echoes did not come back."""
        self._daemon.stop(by=signal.SIGINT)
        summary = SUMMARY.search(self._log.read_text())
        assert summary, self._log.read_text()
        sent, received = map(int, summary.groups())
        assert sent > PER_SECOND, f"only {sent} packets were sent"
        return sent - received
