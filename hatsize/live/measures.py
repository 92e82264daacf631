"""What a live tailnet counts while it works, ready for whoever publishes metrics."""

from collections import Counter

from hatsize.hooks.metrics import Histogram


class Measures:
    """Totals and durations since the start. Written in the event loop's thread, where things happen."""

    def __init__(self) -> None:
        self.commits = Histogram()
        """Seconds that storing a change took."""
        self.compiles = Histogram()
        """Seconds that compiling the policy took, whole or for the nodes that changed."""
        self.fan_outs = Histogram()
        """Seconds from a change to the end of telling everybody."""
        self.messages: Counter[str] = Counter()
        """Map messages by kind: `full`, `difference`, `keepalive`, `request`, `farewell`."""
        self.message_bytes: Counter[str] = Counter()
        self.requests: Counter[tuple[str, str, str, int]] = Counter()
        """HTTP requests by app (`public`, `tunnel`), method, route template and status."""
        self.request_seconds: dict[tuple[str, str], Histogram] = {}
        """Durations by app and route template."""

    def message(self, kind: str, size: int) -> None:
        """A map message was sent."""
        self.messages[kind] += 1
        self.message_bytes[kind] += size

    def request(self, app: str, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self.requests[app, method, route, status] += 1
        if (app, route) not in self.request_seconds:
            self.request_seconds[app, route] = Histogram()
        self.request_seconds[app, route].observe(seconds)
