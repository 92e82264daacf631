"""Reverse proxies on machines of their own, set up as the guide for operators says."""

from collections.abc import Callable
from pathlib import Path

from hatsize.server.tls import CertificateFiles
from tests.clients.lab.daemon import Daemon
from tests.clients.lab.logs import tail
from tests.clients.lab.namespaces import Namespace
from tests.clients.lab.waiting import eventually

GUIDE = Path(__file__).parents[3] / "docs" / "operations" / "reverse-proxy.md"
NAME = "hatsize.example.com"
START_DEADLINE = 20.0
NGINX = """
daemon off; user root; pid {folder}/nginx.pid; error_log stderr;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  {guide}
}}
"""
CADDY = """
{{
  admin off
  storage file_system {folder}
}}
{guide}
"""
TLS_OF_CADDY = f"{NAME} {{\n  tls /etc/ssl/hatsize.crt /etc/ssl/hatsize.key"


class Proxy:
    """One of `KINDS` at port 443 of a machine, in front of a server elsewhere; its certificate names `NAME`."""

    def __init__(self, machine: Namespace, kind: str, upstream: str, certificate: CertificateFiles) -> None:
        self.machine, self.kind = machine, kind
        self.log = machine.directory / "proxy.log"
        crt, key = certificate.certificate.read_text(), certificate.key.read_text()
        for name, text in (("crt", crt), ("key", key), ("pem", crt + key)):
            (machine.etc / "ssl" / f"hatsize.{name}").write_text(text)
        guide = GUIDE.read_text().split(f"```{kind}\n")[1].split("```")[0]
        assert "127.0.0.1:8080" in guide
        if kind == "caddy":  # which would ask a public authority for its certificate
            guide = guide.replace(f"{NAME} {{", TLS_OF_CADDY)
        path = machine.directory / "proxy.conf"
        path.write_text(FORMS[kind].format(folder=machine.directory, guide=guide.replace("127.0.0.1:8080", upstream)))
        home = {name: str(machine.directory) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
        self.daemon = Daemon(machine, *KINDS[kind](str(path)), log=self.log, env=home)
        eventually(self._listens, f"{kind} listens", within=START_DEADLINE, evidence=self.evidence)

    def evidence(self) -> str:
        return tail(self.log)

    def _listens(self) -> bool:
        assert self.daemon.is_running(), f"{self.kind} has ended"
        return ":443 " in self.machine.run("ss", "-Hltn")


KINDS: dict[str, Callable[[str], list[str]]] = {
    "nginx": lambda path: ["nginx", "-e", "stderr", "-c", path],
    "caddy": lambda path: ["caddy", "run", "--adapter", "caddyfile", "--config", path],
    "haproxy": lambda path: ["haproxy", "-db", "-f", path],
}
"""The command line of each program, given its configuration."""
FORMS = {"nginx": NGINX, "caddy": CADDY, "haproxy": "{guide}"}
"""What stands around the guide's part in the configuration of each."""
