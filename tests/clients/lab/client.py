"""An unmodified tailscaled with a kernel TUN device, and its command line, on one machine of the lab."""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.clients.lab.binaries import tailscaled
from tests.clients.lab.commands import CommandError
from tests.clients.lab.daemon import Daemon
from tests.clients.lab.logs import tail
from tests.clients.lab.namespaces import Namespace
from tests.clients.lab.waiting import eventually

# No log upload, and no word with the machine's own system bus.
ENVIRONMENT = {"TS_NO_LOGS_NO_SUPPORT": "true", "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent"}
START_DEADLINE = 60.0
UP_DEADLINE = 60.0
REACH_DEADLINE = 20.0
RECONNECT_DEADLINE = 60.0  # a client that lost its server tries again after a growing pause
LOGIN_URL = re.compile(r"https?://\S+/register/\S+")
IPV4_MAPPED = "::ffff:"
PONG = re.compile(r"via (\S+) in")


class Client:
    """One installation: its state survives `stop` and `kill`, and `start` takes it up again.

    With `in_memory` nothing survives: such a client asks by itself to be an ephemeral node.
    """

    def __init__(
        self,
        machine: Namespace,
        version: str,
        env: Mapping[str, str],
        *,
        evidence: Callable[[], str],
        in_memory: bool = False,
    ) -> None:
        self.machine = machine
        self.name = machine.name
        self.version = version
        self.log = machine.directory / "tailscaled.log"
        self.evidence = evidence
        self._env = {**ENVIRONMENT, **env}
        self._state = ["--state=mem:"] if in_memory else []
        self._socket = machine.directory / "tailscaled.sock"
        self._daemon_program = tailscaled(version).path
        self._command_line = self._daemon_program.with_name("tailscale")
        self._login: Daemon | None = None
        self.start()

    # --- the daemon

    def start(self) -> None:
        state = self.machine.directory / "state"
        flags = ["--tun=tailscale0", f"--statedir={state}", *self._state, f"--socket={self._socket}"]
        self.daemon = Daemon(self.machine, str(self._daemon_program), *flags, log=self.log, env=self._env)
        eventually(self.status, f"{self.name}: tailscaled answers", within=START_DEADLINE, evidence=self.evidence)

    def stop(self) -> None:
        self.daemon.stop()

    def kill(self) -> None:
        self.daemon.kill()

    def log_tail(self) -> str:
        return tail(self.log)

    # --- the command line

    def tailscale(self, *arguments: str, deadline: float = UP_DEADLINE) -> str:
        """What `tailscale ARGUMENTS` printed on this machine."""
        return self.machine.run(*self.argv(*arguments), deadline=deadline)

    def up(self, url: str, key: str, *flags: str) -> None:
        """Join by key; returns when the client is running.

        With `--reset`: a client of 1.80 that has just logged out may take its own defaults for settings to be named.
        """
        try:
            self.tailscale("up", "--reset", "--login-server", url, "--auth-key", key, *self._hostname(flags), *flags)
        except CommandError as failure:
            raise AssertionError(f"{failure}\n{self._login_stacks()}\n{self.evidence()}") from None

    def begin_web_login(self, url: str, *flags: str) -> str:
        """Start `tailscale up` without a key; the URL it tells its user to visit."""
        output = self._begin_login("--login-server", url, *self._hostname(flags), *flags)

        def printed() -> str:
            match = LOGIN_URL.search(output.read_text())
            return match[0] if match else ""

        return eventually(printed, f"{self.name}: a login URL", within=UP_DEADLINE, evidence=self.evidence)

    def begin_key_login(self, url: str, key: str, *flags: str) -> None:
        """Start to join by a key that may leave the client waiting for approval."""
        self._begin_login("--reset", "--login-server", url, "--auth-key", key, *self._hostname(flags), *flags)

    def end_login(self) -> None:
        """Wait until the `tailscale up` that was begun is satisfied."""
        assert self._login is not None, f"{self.name}: no login was begun"
        code = self._login.wait(UP_DEADLINE)
        assert code == 0, f"{self.name}: tailscale up ended with {code}\n{tail(self._login.log)}\n{self.evidence()}"

    def _begin_login(self, *flags: str) -> Path:
        """Start `tailscale up`; where it prints."""
        output = self.machine.directory / "login.log"
        output.unlink(missing_ok=True)
        self._login = Daemon(self.machine, *self.argv("up", *flags), log=output)
        return output

    def argv(self, *arguments: str) -> list[str]:
        return [str(self._command_line), f"--socket={self._socket}", *arguments]

    def _login_stacks(self) -> str:
        """Where in the daemon a login stands that does not end."""
        stacks = self.tailscale("debug", "daemon-goroutines").split("\n\n")
        return "\n\n".join(stack for stack in stacks if "controlclient" in stack)

    def _hostname(self, flags: tuple[str, ...]) -> list[str]:
        return [] if any(flag.startswith("--hostname") for flag in flags) else ["--hostname", self.name]

    # --- what it knows

    def status(self) -> dict[str, Any]:
        """`tailscale status --json`."""
        answer: dict[str, Any] = json.loads(self.tailscale("status", "--json"))
        return answer

    def state(self) -> str:
        """`Running`, `NeedsLogin`, `Starting`, `Stopped` …"""
        return str(self.status()["BackendState"])

    def addresses(self) -> tuple[str, str]:
        """Its own IPv4 and IPv6 address in the tailnet."""
        ipv4, ipv6 = self.status()["Self"]["TailscaleIPs"]
        return ipv4, ipv6

    def full_name(self) -> str:
        """Its own MagicDNS name, without the dot at the end."""
        return str(self.status()["Self"]["DNSName"]).rstrip(".")

    def peer(self, name: str) -> dict[str, Any]:
        """What it knows of the peer with this MagicDNS label; empty when it has no such peer."""
        peers = (self.status().get("Peer") or {}).values()
        return next((peer for peer in peers if peer["DNSName"].split(".")[0] == name), {})

    def wait_state(self, state: str, within: float = UP_DEADLINE) -> None:
        what = f"{self.name} is {state}"
        self.eventually(lambda: self.state() == state, what, within=within)

    def wait_peer(self, name: str, within: float = REACH_DEADLINE, *, online: bool = True) -> None:
        """Until it holds this peer and takes it for online, or for offline."""

        def told() -> bool:
            peer = self.peer(name)
            return bool(peer) and peer["Online"] is online

        self.eventually(told, f"{self.name} sees {name} {'online' if online else 'offline'}", within=within)

    def wait_no_peer(self, name: str, within: float = REACH_DEADLINE) -> None:
        self.eventually(lambda: not self.peer(name), f"{self.name} no longer has {name}", within=within)

    def eventually(self, attempt: Callable[[], object], what: str, *, within: float) -> None:
        eventually(attempt, what, within=within, evidence=self.evidence)

    # --- what it reaches

    def path_to(self, name: str) -> str:
        """The way one disco ping took: `10.99.0.12:41641`, or `DERP(region)`."""
        answer = self.tailscale("ping", "--until-direct=false", "--c=1", "--timeout=2s", name)
        match = PONG.search(answer)
        assert match, answer
        return match[1]

    def wait_direct(self, name: str, within: float = REACH_DEADLINE) -> None:
        what = f"{self.name} reaches {name} directly"
        self.eventually(lambda: not self.path_to(name).startswith("DERP"), what, within=within)

    def pings(self, target: str, family: int = 4) -> bool:
        """Whether one ICMP echo of this machine's kernel to a name or an address is answered."""
        return self.machine.succeeds("ping", f"-{family}", "-n", "-c", "1", "-W", "2", target)

    def reach(self, target: str, family: int = 4, within: float = REACH_DEADLINE) -> None:
        what = f"{self.name} pings {target} over IPv{family}"
        self.eventually(lambda: self.pings(target, family), what, within=within)

    def resolve(self, name: str, family: int = 4) -> str:
        """The address this machine's own resolver gives for a name; empty when it gives none of this family."""
        with suppress(CommandError):
            address = self.machine.run("getent", f"ahostsv{family}", name).split()[0]
            return "" if address.startswith(IPV4_MAPPED) else address
        return ""
