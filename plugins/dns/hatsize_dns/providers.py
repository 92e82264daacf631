"""Records made through a DNS provider's own interface, by dns-lexicon."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
from anyio import to_thread

from hatsize.hooks.dns import PublishError
from hatsize_dns.seen import until_seen
from hatsize_dns.settings_publishing import ProviderSettings

log = logging.getLogger(__name__)

TIMEOUT = 30.0
"""Seconds in which the provider must have done it; the thread that asks is left alone after that."""
AT_ONCE = 1
"""Questions to one provider that may be under way: many interfaces replace all records of a name at once, so that
whoever asks twice at a time loses one."""


class Provider:
    """One zone at one provider."""

    def __init__(self, settings: ProviderSettings) -> None:
        self._settings = settings
        self._turns = anyio.CapacityLimiter(AT_ONCE)

    async def add(self, name: str, value: str) -> None:
        await self._ask(lambda records: records.create_record("TXT", name + ".", value))
        if self._settings.watched:
            await until_seen(self._settings.watched_places, name, value)
        else:
            await anyio.sleep(self._settings.wait)

    async def remove(self, name: str, value: str) -> None:
        await self._ask(lambda records: records.delete_record(None, "TXT", name + ".", value))

    async def _ask(self, question: Callable[[Any], bool]) -> None:
        who = f"the DNS provider {self._settings.provider}"
        try:
            with anyio.fail_after(TIMEOUT):
                ask = partial(_with_lexicon, self._settings, question)
                done = await to_thread.run_sync(ask, abandon_on_cancel=True, limiter=self._turns)
        except TimeoutError:
            raise PublishError(f"{who} did not answer within {TIMEOUT:g} seconds") from None
        except Exception as error:
            log.warning("%s failed: %s: %s", who, type(error).__name__, error)
            raise PublishError(f"{who} did not do it; the server's log says why") from error
        if not done:
            raise PublishError(f"{who} refused it")


def _with_lexicon(settings: ProviderSettings, question: Callable[[Any], bool]) -> bool:
    from lexicon.client import Client  # noqa: PLC0415 - of an optional extra, and slow to import
    from lexicon.config import ConfigResolver  # noqa: PLC0415

    options = {key: value.get_secret_value() for key, value in settings.options.items()}
    told = {
        "provider_name": settings.provider,
        "domain": settings.zone,
        "delegated": settings.zone,
        "ttl": settings.ttl,
        settings.provider: options,
    }
    config = ConfigResolver().with_dict(told)  # type: ignore[no-untyped-call]
    with Client(config) as records:
        return question(records)
