"""What the relay allows a client: times, queue, rates."""

from dataclasses import dataclass

from hatsize.wire.derp.frames import KEY_SIZE, MAX_PACKET

MIN_BURST = MAX_PACKET + KEY_SIZE
"""A burst must admit the largest packet, or it could never be sent."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds, sizes in bytes."""

    keepalive: float = 60
    keepalive_jitter: float = 5
    silent_keepalives: int = 3
    """A client that can answer pings is closed when it stayed silent for so many keepalives, each with a ping."""
    handshake_timeout: float = 10
    write_timeout: float = 2
    """How long a client may read nothing while its queue is full."""
    mesh_write_timeout: float = 30
    queue: int = 256 * 1024
    """What may wait to be sent to one client before packets for it are dropped."""
    disco_reserve: int = 64 * 1024
    """What may wait beyond that, for path discovery alone, so that a busy path can still be replaced."""
    bytes_per_second: int = 0
    """What one client may send, 0 for as much as it likes."""
    burst: int = MIN_BURST

    def __post_init__(self) -> None:
        if self.bytes_per_second and self.burst < MIN_BURST:
            raise ValueError(f"a burst of {self.burst} bytes never admits the largest packet: set {MIN_BURST} or more")


class TokenBucket:
    """Tokens that come back at a steady rate up to a burst. The time is passed in."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = now

    def take(self, tokens: float, now: float) -> float:
        """Take tokens, on credit if need be; returns the seconds until the debt is paid, 0 for none."""
        self._refill(now)
        self._tokens -= tokens
        return max(0.0, -self._tokens / self._rate)

    def allow(self, now: float) -> bool:
        """Take one token if there is one."""
        self._refill(now)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _refill(self, now: float) -> None:
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
