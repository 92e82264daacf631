"""A standby of a real PostgreSQL for tests, to try a failover with."""

import shutil
import time

from hatsize.testing.postgres import START_SECONDS, NoPostgresError, PostgresServer


class Standby(PostgresServer):
    """A streaming standby of another server, synchronous from when `follow` returns: what is promised there is here."""

    def follow(self, primary: PostgresServer) -> None:
        """Copy the other server, start, and have it wait for this one with each commit."""
        if self._user:
            shutil.chown(self.directory, self._user)
        self._run(
            "pg_basebackup", "-h", str(primary.directory), "-U", "hatsize", "-D", str(self.data), "-R", "-X", "stream"
        )
        self.start()
        primary.ask("ALTER SYSTEM SET synchronous_standby_names = '*'")
        primary.ask("SELECT pg_reload_conf()")
        deadline = time.monotonic() + START_SECONDS
        while primary.ask("SELECT sync_state FROM pg_stat_replication") != "sync":
            if time.monotonic() > deadline:
                raise NoPostgresError("the standby does not follow: " + (self.directory / "log").read_text()[-2000:])
            time.sleep(0.05)

    def promote(self) -> None:
        """Take over; returns when it takes writes."""
        self._run("pg_ctl", "promote", "-D", str(self.data))

    def beside(self, primary: PostgresServer) -> str:
        """The URL that leads to whichever of the two takes writes."""
        hosts = f"{primary.directory},{self.directory}"
        return f"postgresql://hatsize@/postgres?host={hosts}&target_session_attrs=read-write"
