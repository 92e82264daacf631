"""Records made by dynamic updates (RFC 2136) signed with a key (RFC 8945)."""

import os

import dns.asyncquery
import dns.exception
import dns.name
import dns.rcode
import dns.tsig
import dns.update
from dns.rcode import NOERROR

from hatsize.hooks.dns import PublishError
from hatsize_dns.addresses import place
from hatsize_dns.names import absolute
from hatsize_dns.seen import ASYNCIO, until_seen
from hatsize_dns.settings_publishing import UpdateSettings

TIMEOUT = 10.0
"""Seconds in which the primary must answer."""


class Updates:
    """A primary name server that lets us change one zone."""

    def __init__(self, settings: UpdateSettings) -> None:
        self._settings = settings
        self._zone = absolute(settings.zone)
        self._primary = place(settings.server)
        self._key = dns.tsig.Key(absolute(settings.key), settings.secret.get_secret_value(), settings.algorithm)

    async def add(self, name: str, value: str) -> None:
        update = self._update()
        update.add(absolute(name), self._settings.ttl, "TXT", f'"{value}"')
        await self._send(update)
        await until_seen([self._primary, *self._settings.watched_places], name, value)

    async def remove(self, name: str, value: str) -> None:
        update = self._update()
        update.delete(absolute(name), "TXT", f'"{value}"')
        await self._send(update)

    def _update(self) -> dns.update.UpdateMessage:
        return dns.update.UpdateMessage(self._zone, keyring=self._key)

    async def _send(self, update: dns.update.UpdateMessage) -> None:
        """Have it carried out; PublishError says what the server has against it."""
        who = f"the name server {self._primary}"
        try:
            answer = await dns.asyncquery.tcp(update, self._primary.host, TIMEOUT, self._primary.port, backend=ASYNCIO)
        except dns.tsig.PeerError as error:
            raise PublishError(f"{who} does not take the key {self._settings.key}: {error}") from None
        except dns.exception.FormError as error:  # a refusal is often not signed, and so not readable
            mend = f"see that it has the zone {self._settings.zone}, and compare the key {self._settings.key}"
            raise PublishError(f"{who} does not answer as it should ({error}): {mend}") from None
        except OSError as error:
            raise PublishError(f"{who} is not reached: {os.strerror(error.errno or 0)}") from None
        except (dns.exception.DNSException, EOFError) as error:
            raise PublishError(f"{who} does not answer as it should: {str(error) or type(error).__name__}") from None
        if answer.rcode() != NOERROR:
            said = dns.rcode.to_text(answer.rcode())
            raise PublishError(f"{who} does not update {self._settings.zone}: it says {said}")
