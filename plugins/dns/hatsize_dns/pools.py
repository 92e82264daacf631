"""Names whose addresses are checked: those that do not answer are left out, unless none does."""

import errno
import logging
import os
from collections.abc import Callable, Sequence
from functools import partial
from http.client import HTTPConnection, HTTPException

import anyio
import dns.rdata
from anyio import to_thread
from dns.name import Name
from dns.rdata import Rdata
from dns.rdataclass import IN

from hatsize_dns.asker import Asker
from hatsize_dns.layers import FixedLayer, Sets
from hatsize_dns.names import absolute
from hatsize_dns.settings_zones import PoolSettings

log = logging.getLogger(__name__)


class Pool:
    """One name."""

    def __init__(self, settings: PoolSettings, changed: Callable[[], None]) -> None:
        """`changed` is called when other addresses are told."""
        self.settings = settings
        self.name = absolute(settings.name)
        self._changed = changed
        self._failures = dict.fromkeys(settings.addresses, 0)
        self._layer = self._drawn()

    @property
    def healthy(self) -> Sequence[str]:
        """The addresses that passed their last checks."""
        return [each for each, count in self._failures.items() if count < self.settings.failures]

    @property
    def told(self) -> Sequence[str]:
        """The addresses that are told: the healthy ones, or all where none is."""
        return self.healthy or list(self._failures)

    def at(self, name: Name, asker: Asker) -> Sets | None:
        return self._layer.at(name, asker)

    async def watch(self) -> None:
        """Check all addresses again and again, until cancelled."""
        while True:
            async with anyio.create_task_group() as tasks:
                for address in self._failures:
                    tasks.start_soon(self._check, address)
            await anyio.sleep(self.settings.interval)

    async def _check(self, address: str) -> None:
        trouble = await fault(self.settings.check, address, self.settings.timeout)
        former = self.told
        before = address in self.healthy
        self._failures[address] = self._failures[address] + 1 if trouble else 0
        after = address in self.healthy
        if before and not after:
            log.warning("%s: %s is left out: %s", self.settings.name, address, trouble)
        elif after and not before:
            log.info("%s: %s is back", self.settings.name, address)
        if self.told != former:
            self._layer = self._drawn()
            self._changed()

    def _drawn(self) -> FixedLayer:
        return FixedLayer((self.name, self.settings.ttl, _record(address)) for address in self.told)


async def fault(check: str, address: str, timeout: float) -> str:  # noqa: ASYNC109 - a setting
    """What is wrong with an address, in words; nothing for one that passes."""
    kind, _, rest = check.partition(":")
    port, _, path = rest.partition("/")
    try:
        with anyio.fail_after(timeout):
            if kind == "tcp":
                async with await anyio.connect_tcp(address, int(port)):
                    return ""
            return await to_thread.run_sync(
                partial(_fault_of_http, address, int(port), "/" + path, timeout), abandon_on_cancel=True
            )
    except TimeoutError:
        return f"no answer within {timeout:g} seconds"
    except OSError as error:
        return os.strerror(_reason(error).errno or errno.ECONNREFUSED)


def _reason(error: OSError) -> OSError:
    """What is behind a failure to connect."""
    return error.__cause__ if isinstance(error.__cause__, OSError) else error


def _fault_of_http(address: str, port: int, path: str, timeout: float) -> str:
    connection = HTTPConnection(address, port, timeout=timeout)
    try:
        connection.request("GET", path, headers={"User-Agent": "hatsize-dns", "Connection": "close"})
        status = connection.getresponse().status
    except HTTPException as error:
        return f"no HTTP: {type(error).__name__}"
    finally:
        connection.close()
    return f"status {status}" if status >= 400 else ""


def _record(address: str) -> Rdata:
    return dns.rdata.from_text(IN, "AAAA" if ":" in address else "A", address)
