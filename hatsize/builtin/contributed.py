"""Names that plugins contribute, told to every node."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from hatsize.hooks import hookimpl
from hatsize.hooks.dns import DNSProvider
from hatsize.tailnet.dns import told, with_ways_in
from hatsize.tailnet.model import Node
from hatsize.tailnet.state import State
from hatsize.wire.tailcfg import DNSConfig, DNSRecord


class ContributedRecords:
    """Adds the records that plugins gave when they were last asked."""

    name = "contributed"

    def __init__(self) -> None:
        self._of: dict[str, tuple[DNSRecord, ...]] = {}

    def take(self, answers: Mapping[str, Sequence[DNSRecord]]) -> bool:
        """Take records by plugin; one that gave no answer keeps what it gave before. Whether anything is new."""
        former = dict(self._of)
        self._of |= {plugin: tuple(records) for plugin, records in answers.items()}
        return self._of != former

    def configure(self, state: State, node: Node, config: DNSConfig) -> DNSConfig:
        del state, node
        records = told(self.records(), lambda _: ())
        if not records:
            return config
        rest = config.FallbackResolvers if config.Proxied else ()
        routes = with_ways_in(records, config.Routes, config.Resolvers, rest)
        return replace(config, ExtraRecords=(*config.ExtraRecords, *records), Routes=routes)

    def records(self) -> Sequence[DNSRecord]:
        """All of them, of every type."""
        return tuple(record for _, record in self.by_plugin())

    def by_plugin(self) -> Sequence[tuple[str, DNSRecord]]:
        """The same, each with the plugin it is from."""
        return [(plugin, record) for plugin, records in self._of.items() for record in records]


class ContributedRecordsPlugin:
    """Supplies the provider."""

    def __init__(self) -> None:
        self._provider = ContributedRecords()

    @hookimpl
    def hatsize_register_dns_provider(self) -> DNSProvider:
        return self._provider
