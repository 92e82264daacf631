"""The sockets on which the server answers STUN."""

import logging
import socket

from hatsize.derp.stun import stun_sockets
from hatsize.server.settings_sections import Stun

log = logging.getLogger(__name__)


def stun_sockets_of(stun: Stun) -> list[socket.socket]:
    """Those that could be had; a port in use is a warning, for several servers may run on one machine."""
    found: list[socket.socket] = []
    for address in stun.listen if stun.enabled else ():
        try:
            found += stun_sockets(address.host, address.port)
        except OSError as error:
            # a machine without IPv6 is nothing to warn of
            level = logging.INFO if address.host == "::" and found else logging.WARNING
            words = "no STUN on %s: %s; clients find their address by other means"
            log.log(level, words, address, error.strerror or error)
    return found
