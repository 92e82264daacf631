"""The settings' section `dns`."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from hatsize.server.settings_problems import wrong
from hatsize.server.settings_types import Domain, Domains, Section, Table, Text, from_text
from hatsize.tailnet.commands.dns_forms import checked_resolver, checked_value
from hatsize.tailnet.errors import InvalidError


class ExtraRecord(Section):
    """One record that every node resolves, below any domain."""

    name: Domain
    """The whole name, below any domain."""
    type: Literal["A", "AAAA", "CNAME", "TXT", "SRV"] = "A"
    """The record's type."""
    value: str
    """An address for `A` and `AAAA`, else the record's text."""

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        try:  # where no type is given, the value tells the family, as it does to clients
            checked_value("AAAA" if self.type == "A" and ":" in self.value else self.type, self.value)
        except InvalidError as error:
            raise ValueError(str(error)) from None
        return self


class Nameservers(Section):
    global_: Text = Field(default=(), alias="global")
    """Resolvers for everything: addresses, or `https://` URLs; `#with-exit-node` behind: through exit nodes too."""
    split: Table = Field(default_factory=dict)
    """Resolvers for single domains."""

    @field_validator("global_")
    @classmethod
    def _resolvers(cls, resolvers: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return tuple(map(checked_resolver, resolvers))
        except InvalidError as error:
            raise ValueError(str(error)) from None

    @field_validator("split")
    @classmethod
    def _split_resolvers(cls, split: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        return {domain: cls._resolvers(resolvers) for domain, resolvers in split.items()}


class Dns(Section):
    magic_dns: bool = True
    """Whether clients resolve the names of nodes."""
    base_domain: Domain = "tailnet.internal"
    """The domain below which nodes have their names."""
    override_local_dns: bool = False
    """Whether `nameservers.global` replace the resolvers a machine has; else they stand in where it has none."""
    nameservers: Nameservers = Nameservers()
    search_domains: Domains = ()
    """Domains that clients add to names without a dot, after `base_domain`."""
    extra_records: Annotated[tuple[ExtraRecord, ...], BeforeValidator(from_text)] = ()
    """Records that every node resolves: tables with `name`, `type` and `value`."""
    extra_records_path: Path | None = None
    """A JSON file of records, read again whenever it changes."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.override_local_dns and not self.nameservers.global_:
            raise wrong("override_local_dns", True, "needs a resolver to put in place; set dns.nameservers.global")
        if self.extra_records and self.extra_records_path:
            raise wrong("extra_records_path", str(self.extra_records_path), "dns.extra_records is set too; keep one")
        return self
