"""Names that stand for nodes follow them: clients are told addresses, not aliases, so these must be told anew."""

from hatsize.builtin.magicdns import MagicDNS
from hatsize.live.tailnet import LiveTailnet
from hatsize.tailnet.model import Change, Node


class Aliases:
    """Tells everybody of aliases whose node was renamed, got other addresses, came or went."""

    def __init__(self, live: LiveTailnet) -> None:
        self._live = live
        self._magic_dns = next(each for each in live.services.dns if isinstance(each, MagicDNS))
        self._known = self._aliases()

    def changed(self, change: Change) -> None:
        """Hear of a change that is true."""
        if change.kind == "node.reported" or not _concerns_nodes(change):
            return
        known = self._aliases()
        if known != self._known:
            self._known = known
            self._live.settings_changed()

    def _aliases(self) -> set[tuple[str, str]]:
        """Names with the addresses they are told to have, of those that are aliases; empty where there are none."""
        names = {record.Name for record in self._magic_dns.records(self._live.state) if record.Type == "CNAME"}
        if not names:
            return set()
        return {(each.Name, each.Value) for each in self._magic_dns.told(self._live.state) if each.Name in names}


def _concerns_nodes(change: Change) -> bool:
    deleted = any(table == Node.table for table, _ in change.deletes)
    return deleted or any(isinstance(record, Node) for record in change.puts)
