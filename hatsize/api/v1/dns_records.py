"""API v1: DNS records, and who answers for each. Headscale has none of this."""

from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from hatsize.api.contract import Live
from hatsize.api.operation import Area, Call
from hatsize.api.reading import read_id
from hatsize.api.schema import Answer, Body, Id, Nothing
from hatsize.tailnet.commands.dns_records import add_record, dns_records, remove_record
from hatsize.tailnet.dns import ADDRESS_TYPES, is_wildcard, node_addresses, plain, route_of, target_addresses
from hatsize.tailnet.model import DnsRecord
from hatsize.wire.tailcfg import DNSConfig, DNSRecord

area = Area("DNS")
CLIENTS = "clients"
OWN = "api"
"""Where the tailnet's own records come from."""


class RecordJson(Answer):
    id: Id | None
    """Null for one that is not the tailnet's own."""
    name: str
    type: str
    value: str
    ttl: int
    source: str
    """`api`, `settings`, `file`, or a plugin's name."""
    answered_by: str
    """Who answers a client's query for it; empty when nobody does."""


class RecordsAnswer(Answer):
    records: list[RecordJson]


class RecordAnswer(Answer):
    record: RecordJson
    warnings: list[str] | UnsetType = UNSET


class AddRecord(Body):
    name: str
    value: str
    type: str = "A"
    ttl: int = 0
    """In seconds, for servers that answer; clients keep to their own."""


@area.add("GET", "/dns/record", "listDnsRecords", "List DNS records, wherever they come from, and who answers for them")
async def list_records(call: Call) -> RecordsAnswer:
    view = _View(call.live)
    others = [view.shown(_typed(record), source) for source, record in call.live.dns.other_records()]
    return RecordsAnswer(records=[view.shown(record, OWN) for record in dns_records(call.live.state)] + others)


@area.add("POST", "/dns/record", "addDnsRecord", "Add a DNS record; a warning tells what it needs to be answered")
async def add(call: Call, body: AddRecord) -> RecordAnswer:
    record = await call.put(
        DnsRecord, lambda state: add_record(state, body.name, body.type, body.value, call.now, ttl=body.ttl)
    )
    view = _View(call.live)
    return RecordAnswer(record=view.shown(record, OWN), warnings=list(view.warnings(record)) or UNSET)


@area.add("DELETE", "/dns/record/{id}", "removeDnsRecord", "Remove a DNS record")
async def remove(call: Call, id: str) -> Nothing:  # noqa: A002 - the path's word
    number = read_id(id, "a DNS record")
    await call.run(lambda state: remove_record(state, number, call.now))
    return Nothing()


class _View:
    """Records as they are answered now."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._config: DNSConfig = live.dns.config()
        self._addresses_of = node_addresses(live.state, live.dns.base_domain)
        others = [record for _, record in live.dns.other_records()]
        own = [DNSRecord(Name=each.name, Type=each.type, Value=each.value) for each in dns_records(live.state)]
        self._records = [*others, *own]

    def shown(self, record: DnsRecord, source: str) -> RecordJson:
        return RecordJson(
            id=str(record.id) if record.id else None,
            name=record.name,
            type=record.type,
            value=record.value,
            ttl=record.ttl,
            source=source,
            answered_by=self._answered_by(record),
        )

    def warnings(self, record: DnsRecord) -> Sequence[str]:
        """What an administrator should know of a record that was added."""
        found = []
        if not self._answered_by(record):
            found.append(self._mend(record))
        if record.type in ADDRESS_TYPES | {"CNAME"} and self._addresses_of(record.name):
            found.append(f"a node has the name {record.name} too: clients give either's addresses")
        return found

    def _answered_by(self, record: DnsRecord) -> str:
        if not is_wildcard(record.name):
            if record.type in ADDRESS_TYPES:
                return CLIENTS
            if record.type == "CNAME" and target_addresses(self._records, self._addresses_of, record.value):
                return f"{CLIENTS}, with the addresses of {record.value}"
        return "" if self._is_hidden(record) else self._asked(record.name)

    def _is_hidden(self, record: DnsRecord) -> bool:
        """Whether clients ask nobody for it, because they know addresses of that name and answer for it themselves."""
        own = record.type not in ADDRESS_TYPES | {"CNAME"} and not is_wildcard(record.name)
        return own and bool(target_addresses(self._records, self._addresses_of, record.name))

    def _asked(self, name: str) -> str:
        """The resolvers that clients ask for a name."""
        suffix = route_of(name.removeprefix("*."), self._config.Routes)
        resolvers = self._config.Routes[suffix] if suffix is not None else None
        if suffix is None or not resolvers:
            return ""
        return f"{', '.join(resolver.Addr for resolver in resolvers)}, the resolvers of {plain(suffix)}"

    def _mend(self, record: DnsRecord) -> str:
        """What to do so that a record is answered which nobody answers."""
        zone = record.name.partition(".")[2] if not is_wildcard(record.name) else record.name.removeprefix("*.")
        server = f"have a DNS server answer for it and name that with `hatsize dns split set {zone} ADDRESS`"
        if is_wildcard(record.name) and self._addresses_of(zone):
            return (
                f"nobody answers for {record.name}: clients from 1.96 do so for all names below a node's own "
                f"when the policy gives the node the attribute dns-subdomain-resolve in nodeAttrs"
            )
        if is_wildcard(record.name):
            return f"nobody answers for {record.name}: clients answer whole names alone; {server}"
        if self._is_hidden(record):
            return (
                f"nobody answers for {record.name} {record.type}: {record.name} has an address too, and of such a name "
                "clients tell its addresses alone; give the record a name of its own"
            )
        if record.type == "CNAME":
            return (
                f"nobody answers for {record.name}: no node and no address record has the name {record.value}; "
                f"add one, or {server}"
            )
        return f"nobody answers for {record.name} {record.type}: clients answer A and AAAA records alone; {server}"


def _typed(record: DNSRecord) -> DnsRecord:
    """A record as clients are told it, with its type."""
    kind = record.Type or ("AAAA" if ":" in record.Value else "A")
    return DnsRecord(id=0, name=plain(record.Name), type=kind, value=record.Value)
