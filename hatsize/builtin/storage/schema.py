"""The tables: one for each record of the model, the change log, the counters and the secrets.

The tables are generated from the records' fields, the migrations are written by hand; a test holds one to the other.
No foreign keys: a tagged node may outlive who made it, a node the key it used, and a plugin's rows what they are about.
What must be there all the same is for `operations.check` to look at.
"""

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from hatsize.builtin.storage.columns import Json, UtcTime, column
from hatsize.tailnet.model import (
    RECORDS,
    Credential,
    Node,
    PendingLogin,
    PluginItem,
    Record,
    Service,
    Tailnet,
    User,
)

HEAD = "0004"
"""The migration this program's tables are at."""

UNIQUE: dict[type[Record], tuple[tuple[str, ...], ...]] = {
    Tailnet: (("name",),),
    User: (("tailnet", "name"),),
    Node: (("node_key",), ("stable_id",), ("tailnet", "given_name"), ("tailnet", "ipv4"), ("tailnet", "ipv6")),
    Credential: (("prefix",),),
    Service: (("tailnet", "name"),),
    PendingLogin: (("auth_id",),),
    PluginItem: (("tailnet", "plugin", "key"),),
}
"""What no two rows may have alike."""

metadata = MetaData(
    naming_convention={"pk": "pk_%(table_name)s"},
)


def _table(kind: type[Record]) -> Table:
    columns = [column(field) for field in msgspec.structs.fields(kind)]
    unique = [UniqueConstraint(*names, name=f"uq_{kind.table}_{names[-1]}") for names in UNIQUE.get(kind, ())]
    key = PrimaryKeyConstraint("tailnet", "id")
    return Table(kind.table, metadata, *columns, key, *unique)


TABLES: dict[str, Table] = {kind.table: _table(kind) for kind in RECORDS}
KINDS: dict[str, type[Record]] = {kind.table: kind for kind in RECORDS}

CHANGE = Table(
    "change",
    metadata,
    Column("tailnet", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("actor", Text, nullable=False),
    Column("puts", Json(dict[str, list[int]]), nullable=False),
    Column("deletes", Json(dict[str, list[int]]), nullable=False),
    PrimaryKeyConstraint("tailnet", "seq"),
    sqlite_with_rowid=False,
)
"""The log: what each change put and deleted, as ids by table."""

SEQ = "change"
"""The counter's name under which a tailnet's last sequence number is kept."""

COUNTER = Table(
    "counter",
    metadata,
    Column("tailnet", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("last", BigInteger, nullable=False),
    PrimaryKeyConstraint("tailnet", "name"),
    sqlite_with_rowid=False,
)
"""The highest number given out: ids by table name, and the log's by `SEQ`."""

SECRET = Table(
    "secret",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
