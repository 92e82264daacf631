"""A ping that goes on while other things happen, and then tells what was lost."""

import re
import signal
from itertools import pairwise

from tests.clients.lab.daemon import Daemon
from tests.clients.lab.namespaces import Namespace

REPLY = re.compile(r"icmp_seq=(\d+) ttl")
SUMMARY = re.compile(r"(\d+) packets transmitted")
PER_SECOND = 5


class SteadyPing:
    """Five echo requests a second by a machine's kernel, from now until `lost` is asked for."""

    def __init__(self, machine: Namespace, address: str) -> None:
        self._log = machine.directory / "ping.log"
        self._log.unlink(missing_ok=True)
        self._daemon = Daemon(machine, "ping", "-n", "-i", f"{1 / PER_SECOND}", address, log=self._log)

    def longest_silence(self) -> float:
        """End it; the longest time in seconds in which no echo came back that had been asked for."""
        sent, answered = self._ended()
        return max(after - before - 1 for before, after in pairwise([0, *answered, sent + 1])) / PER_SECOND

    def lost(self) -> int:
        """End it; how many echoes did not come back. The last one may have been under way still."""
        sent, answered = self._ended()
        return len(set(range(1, sent)) - set(answered))

    def _ended(self) -> tuple[int, list[int]]:
        """How many were sent, and the numbers of those that were answered, from 1 on."""
        self._daemon.stop(by=signal.SIGINT)
        log = self._log.read_text()
        summary = SUMMARY.search(log)
        assert summary, log
        sent = int(summary[1])
        assert sent > PER_SECOND, f"only {sent} packets were sent"
        return sent, sorted(map(int, REPLY.findall(log)))
