"""A program that runs in the background on a machine of the lab, with its log in a file."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from tests.clients.lab.logs import tail
from tests.clients.lab.namespaces import Namespace


class Daemon:
    """Starts as soon as it is made; what it prints is appended to `log`."""

    def __init__(self, machine: Namespace, *command: str, log: Path, env: Mapping[str, str] | None = None) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                machine.argv(*command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
            )
        machine.at_close.append(self.kill)

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_running(self) -> bool:
        return self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, as SIGSTOP or SIGCONT."""
        self._process.send_signal(number)

    def wait(self, within: float) -> int:
        """The exit code, once the program has ended by itself."""
        try:
            return self._process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {within:g} s\n{tail(self.log)}") from None

    def stop(self, within: float = 10.0, by: signal.Signals = signal.SIGTERM) -> float:
        """Ask it to end; the seconds that took."""
        started = time.monotonic()
        self._process.send_signal(by)
        self.wait(within)
        return time.monotonic() - started

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        self._process.kill()
        self._process.wait()
