"""The sections `tests` and `sshTests`.

What a test names wrongly does not refuse the document here: the test fails when it is run, as the service has it.
"""

from collections.abc import Mapping
from typing import Any

from hatsize.policy.document import AccessTest, SSHTest
from hatsize.policy.names import ALL_ADDRESSES
from hatsize.policy.ports import read_protocol
from hatsize.policy.reader import Fields, Reader
from hatsize.policy.selectors import Kind, Place, misplaced, permitted, read_selector
from hatsize.wire.hujson_tree import Value

_TEST = ("src", "accept", "allow", "deny", "proto", "srcPostureAttrs", "user")
_SSH_TEST = ("src", "dst", "accept", "check", "deny", "srcPostureAttrs")


def read_tests(reader: Reader, value: Value | None) -> tuple[AccessTest, ...]:
    found = []
    for number, item in enumerate(reader.items(value, "tests")):
        fields = reader.fields(item, f"tests[{number}]", _TEST)
        proto = fields.text("proto")
        found.append(
            AccessTest(
                line=reader.line(item.start),
                src=(fields.text("src") or fields.text("user") or "").strip(),
                accept=_texts(fields, "accept", "allow"),
                deny=_texts(fields, "deny"),
                protocol=reader.attempt(proto.at, read_protocol, proto) if proto else None,
                attributes=_attributes(fields),
            )
        )
    return tuple(found)


def read_ssh_tests(reader: Reader, value: Value | None) -> tuple[SSHTest, ...]:
    found = []
    for number, item in enumerate(reader.items(value, "sshTests")):
        fields = reader.fields(item, f"sshTests[{number}]", _SSH_TEST)
        for text in fields.texts("dst"):
            selector = read_selector(text)
            is_network = selector.kind is Kind.ADDRESS and ("/" in selector.name or selector.name in ALL_ADDRESSES)
            if is_network or not permitted(selector, Place.SSH_TEST_DST):
                reader.refuse(text.at, misplaced(selector, Place.SSH_TEST_DST))
        found.append(
            SSHTest(
                line=reader.line(item.start),
                src=(fields.text("src") or "").strip(),
                dst=_texts(fields, "dst"),
                accept=_texts(fields, "accept"),
                check=_texts(fields, "check"),
                deny=_texts(fields, "deny"),
                attributes=_attributes(fields),
            )
        )
    return tuple(found)


def _texts(fields: Fields, *names: str) -> tuple[str, ...]:
    return tuple(text.strip() for text in fields.texts(*names))


def _attributes(fields: Fields) -> Mapping[str, Any]:
    return {str(name): fields_value for name, fields_value in (fields.plain("srcPostureAttrs") or {}).items()}
