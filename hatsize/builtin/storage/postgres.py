"""PostgreSQL: a small pool of connections, and LISTEN/NOTIFY to follow the log."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, text

from hatsize.builtin.storage.errors import in_words
from hatsize.hooks.storage import StorageError

try:
    import psycopg
    from psycopg.types.string import TextLoader
except ImportError:
    raise StorageError("PostgreSQL needs its driver: install hatsize[postgres]") from None

CONNECTIONS = 4
CONNECT_SECONDS = 10
SLICE_SECONDS = 0.5
"""How long a waiter sleeps before it looks whether the storage was closed."""
SCHEMA_LOCK = 0x6861747369
"""The advisory lock under which the schema is changed."""

PRESENCE = f"{0x68617369}, hashtext(current_schema())"
"""The advisory lock that every connection shares, so that who must be alone can tell whether it is."""

SESSION = f"""
SET TIME ZONE 'UTC';
SET statement_timeout = '30s';
SET lock_timeout = '10s';
SET idle_in_transaction_session_timeout = '10s';
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
SELECT pg_advisory_lock_shared({PRESENCE})
"""
"""A commit is a promise. A transaction left open by a process that sleeps must end: it holds up every other one."""

STANDBY = "25006"


class PostgresDatabase:
    """A PostgreSQL database, whatever the URL's `host`, `sslmode` and other libpq parameters say."""

    name = "postgresql"
    pages = "SELECT pg_database_size(current_database())"

    def __init__(self, url: URL) -> None:
        self.url = url.set(drivername="postgresql+psycopg")
        self.where = f"database {url.set(drivername='postgresql', query={}).render_as_string(hide_password=True)}"
        self._engine: Engine | None = None
        self._closed = threading.Event()

    def open(self) -> None:
        self._closed.clear()
        self._engine = create_engine(
            self.url,
            pool_size=CONNECTIONS,
            max_overflow=CONNECTIONS,
            pool_timeout=CONNECT_SECONDS,
            hide_parameters=True,
            isolation_level="READ COMMITTED",
            connect_args={"connect_timeout": CONNECT_SECONDS, "tcp_user_timeout": CONNECT_SECONDS * 1000},
        )
        event.listen(self._engine, "connect", _prepare)
        event.listen(self._engine, "handle_error", _leave_standby)
        try:
            with self.reading():
                pass
        except StorageError:
            self.close()
            raise

    def refuse_company(self) -> None:
        self.open()
        try:
            with self.writing() as connection:
                alone = connection.scalar(text(f"SELECT pg_try_advisory_xact_lock({PRESENCE})"))
        finally:
            self.close()
        if not alone:
            raise StorageError(f"{self.where}: other processes are connected to it; stop every server on it first")

    def close(self) -> None:
        self._closed.set()
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with in_words(self.where), self._opened().connect() as connection:
            connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with in_words(self.where), self._opened().begin() as connection:
            yield connection

    def lock_schema(self, connection: Connection) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": SCHEMA_LOCK})

    def announce(self, connection: Connection, tailnet: int, seq: int) -> None:
        connection.execute(text("SELECT pg_notify(:channel, :seq)"), {"channel": _channel(tailnet), "seq": str(seq)})

    def wait(self, tailnet: int, after: int, timeout: float, last: Callable[[Connection], int]) -> int:
        deadline = time.monotonic() + timeout
        with in_words(self.where), self._opened().connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql(f"LISTEN {_channel(tailnet)}")
            try:
                seq = last(connection)
                while seq <= after and not self._closed.is_set() and (left := deadline - time.monotonic()) > 0:
                    if _is_told(connection, min(left, SLICE_SECONDS)):
                        seq = last(connection)
            finally:
                if self._closed.is_set():
                    connection.invalidate()
                elif not connection.invalidated:
                    connection.exec_driver_sql("UNLISTEN *")
            return seq

    def _opened(self) -> Engine:
        if self._engine is None:
            raise StorageError(f"{self.where}: is not open")
        return self._engine


def _leave_standby(context: Any) -> None:
    """A server found read-only was demoted: connect anew, to whichever the URL leads now."""
    if getattr(context.original_exception, "sqlstate", None) == STANDBY:
        context.is_disconnect = True


def _prepare(connection: Any, _record: object) -> None:
    connection.adapters.register_loader("json", TextLoader)
    connection.autocommit = True
    for statement in SESSION.strip().split(";"):
        connection.execute(statement)
    connection.autocommit = False


def _channel(tailnet: int) -> str:
    return f"hatsize_{int(tailnet)}"


def _is_told(connection: Connection, timeout: float) -> bool:
    """Whether a notification comes in time, or may have been missed."""
    driver: Any = connection.connection.driver_connection
    try:
        return bool(list(driver.notifies(timeout=timeout, stop_after=1)))
    except psycopg.OperationalError:
        connection.exec_driver_sql("SELECT 1")  # fails too, and so tells the pool that its connections are broken
        return True
