"""Which devices, and what of each, a request asks API v2 for."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from hatsize.api.problems import bad_request
from hatsize.api.v2.device import DeviceJson

FIELDS = "fields"
COMPLEX = frozenset({"clientConnectivity", "distro"})
"""What cannot be compared with a text."""
NAMES = frozenset(field.encode_name for field in msgspec.structs.fields(DeviceJson)) - COMPLEX


def wants_all(fields: str) -> bool:
    """Whether all fields are asked for; raises the 400 problem for another word than `all` and `default`."""
    words = set(filter(None, fields.split(",")))
    if unknown := words - {"all", "default"}:
        raise bad_request(f"fields={min(unknown)[:60]} is not known: ask for all or default")
    return "all" in words


def checked_filters(given: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
    """The filters among the parameters; raises the 400 problem for one that names no simple property of a device."""
    filters = {name: values for name, values in given.items() if name != FIELDS}
    if unknown := filters.keys() - NAMES:
        raise bad_request(
            f"devices cannot be filtered by {min(unknown)[:60]!r}: give one of {', '.join(sorted(NAMES))}"
        )
    return filters


def is_wanted(device: DeviceJson, filters: Mapping[str, Sequence[str]]) -> bool:
    """Whether a device, with all its fields, has every value that is asked for; a list has each of its parts."""
    told: dict[str, Any] = msgspec.to_builtins(device)
    return all(set(values) <= _texts(told.get(name)) for name, values in filters.items())


def _texts(value: Any) -> set[str]:
    """A property as texts that a parameter may be equal to."""
    if isinstance(value, list):
        return set(value)
    if isinstance(value, bool):
        return {str(value).lower()}
    return set() if value is None else {value}
