"""What became of the calls to plugins: the counts that metrics publish, and a line of log for each kind of trouble."""

import logging
from collections import Counter, defaultdict

log = logging.getLogger("hatsize.plugins")


class Ledger:
    """Counts by plugin and hook since the start. The first failure of a kind is logged with its traceback, later ones
    with their number."""

    def __init__(self) -> None:
        self.calls: Counter[tuple[str, str]] = Counter()
        self.seconds: defaultdict[tuple[str, str], float] = defaultdict(float)
        self.errors: Counter[tuple[str, str]] = Counter()
        """Calls that raised."""
        self.deadlines: Counter[tuple[str, str]] = Counter()
        """Calls that were cut off."""
        self.held: Counter[tuple[str, str]] = Counter()
        """Calls that kept the whole server waiting."""
        self.lost: Counter[str] = Counter()
        """Events that a plugin was too slow to hear, by plugin."""

    def took(self, plugin: str, hook: str, seconds: float) -> None:
        """A call has ended, in whichever way."""
        self.calls[plugin, hook] += 1
        self.seconds[plugin, hook] += seconds

    def failed(self, plugin: str, hook: str, error: BaseException) -> None:
        """A call raised."""
        self.errors[plugin, hook] += 1
        count = self.errors[plugin, hook]
        if count == 1:
            log.error("plugin %s failed in %s", plugin, hook, exc_info=error)
        else:
            log.error("plugin %s failed in %s again (%d times so far): %s", plugin, hook, count, describe(error))

    def unavailable(self, plugin: str, hook: str, reason: str) -> None:
        """A call could not be answered, for a reason that lies outside the plugin."""
        self.errors[plugin, hook] += 1
        log.warning("plugin %s cannot answer %s: %s", plugin, hook, reason)

    def cut_off(self, plugin: str, hook: str, seconds: float) -> None:
        """A call was not done by its deadline."""
        self.deadlines[plugin, hook] += 1
        log.error("plugin %s was cut off in %s after %g s", plugin, hook, seconds)

    def held_up(self, plugin: str, hook: str, seconds: float) -> None:
        """A call blocked the event loop; logged at 1, 10, 100 …"""
        self.held[plugin, hook] += 1
        count = self.held[plugin, hook]
        if _is_power_of_ten(count):
            text = "plugin %s held up the whole server for %.1f s in %s, %d time(s) so far: let it block in a thread"
            log.error(text, plugin, seconds, hook, count)

    def missed(self, plugin: str) -> None:
        """An event was not kept for a plugin whose queue is full; logged at 1, 10, 100 …"""
        self.lost[plugin] += 1
        count = self.lost[plugin]
        if _is_power_of_ten(count):
            log.error("plugin %s is too slow: %d event(s) are lost to it", plugin, count)


def _is_power_of_ten(count: int) -> bool:
    return str(count).strip("0") == "1"


def describe(error: BaseException) -> str:
    """An exception in one line."""
    text = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
