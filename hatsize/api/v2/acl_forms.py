"""A policy file as API v2 gives and takes it: as it was written, or as plain JSON, with the tag it is known by."""

from hashlib import sha256

import msgspec

from hatsize.api.contract import PolicyAccess
from hatsize.api.operation import JSON, Reply
from hatsize.api.problems import bad_request
from hatsize.wire.hujson import HuJSONError, parse, plain, version_tag

HUJSON = "application/hujson"
DEFAULT = """\
// Nobody has written a policy yet. Where one has neither "acls" nor "grants", everything may reach everything.
{}
"""
"""What is shown where there is no policy, and put in force where one is taken back."""


def shown(text: str | None) -> str:
    """What a tailnet's policy is shown as: the default where there is none."""
    return text if text and text.strip() else DEFAULT


def in_force(policy: PolicyAccess) -> str:
    """The policy in force as it was written, or the default."""
    document = policy.current()
    return shown(document.text if document else None)


def tag_of(text: str) -> str:
    """What a policy is known by in `ETag` and `If-Match`: equal for texts that differ only in layout."""
    try:
        return version_tag(text)
    except HuJSONError:  # a policy engine may take other languages
        return sha256(text.encode()).hexdigest()


def read_policy(body: bytes) -> str:
    """The policy in a request's body; raises the 400 problem."""
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise bad_request(f"the policy is not UTF-8 text: byte {error.start} is wrong") from None


def as_asked(text: str, accept: str) -> Reply:
    """A policy as JSON for who accepts that, and else as it was written, with its tag."""
    headers = {"ETag": f'"{tag_of(text)}"'}
    if JSON in accept.lower():
        return Reply(_standard(text), headers=headers)
    return Reply(text.encode(), HUJSON, headers=headers)


def _standard(text: str) -> bytes:
    """The policy without comments, in the fewest bytes."""
    try:
        return msgspec.json.encode(plain(parse(text))) + b"\n"
    except HuJSONError:
        raise bad_request(
            "the policy is written in a language of its engine's own: ask for application/hujson"
        ) from None
