"""The relays that are measured, each in a process of its own on a free port."""

import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Relay:
    """A running relay."""

    name: str
    url: str
    process: subprocess.Popen[bytes]

    def memory(self) -> float:
        """Resident bytes, once they have settled."""
        time.sleep(1)
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return float(pages * os.sysconf("SC_PAGE_SIZE"))

    def cpu(self) -> float:
        """Seconds of processor time so far; says what a packet costs even on a busy machine."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def ours(tls: Path | None) -> Relay:
    """Hatsize's relay on uvloop."""
    port = _free_port()
    arguments = [sys.executable, "-m", "benchmarks.derp.serve", str(port)]
    if tls:
        arguments += ["--certificate", str(tls), "--key", str(tls.with_suffix(".key"))]
    return _started("hatsize", port, arguments, tls=tls is not None)


def derper(folder: Path, tls: Path | None) -> Relay | None:
    """Tailscale's relay, or None where its binary is missing."""
    binaries = Path(os.environ.get("HATSIZE_BIN_DIR", Path.home() / ".cache/hatsize/bin"))
    found = sorted(binaries.glob("derper-*/derper"))
    if not found:
        print(f"no derper in {binaries}, so ours is measured alone")
        return None
    port = _free_port()
    arguments = [str(found[-1]), "-a", f"127.0.0.1:{port}", "-stun=false", "-http-port", "-1"]
    arguments += ["-c", str(folder / "derper.json"), "-hostname", "127.0.0.1"]
    if tls:
        arguments += ["-certmode", "manual", "-certdir", str(tls.parent)]
    return _started("derper", port, arguments, tls=tls is not None)


def certificate(folder: Path) -> Path:
    """A self-signed certificate as derper wants it named, its key beside it."""
    openssl = shutil.which("openssl")
    if openssl is None:
        raise SystemExit("openssl is needed to make a certificate")
    path = folder / "127.0.0.1.crt"
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", path.with_suffix(".key"), "-out", path),
        ],
        check=True,
        capture_output=True,
    )
    return path


def _started(name: str, port: int, arguments: list[str], *, tls: bool) -> Relay:
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.05)
    return Relay(name, f"{'https' if tls else 'http'}://127.0.0.1:{port}", process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
