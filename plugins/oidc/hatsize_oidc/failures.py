"""What goes wrong with a login, in words for the page and the log. Never with a token or a secret in them."""

from http import HTTPStatus


class LoginFailure(Exception):  # noqa: N818 - it is one, and not a program's error
    """A login that does not go on; the message is for the person in front of the browser, and for the log."""

    status = HTTPStatus.FORBIDDEN


class StaleFailure(LoginFailure):
    """A login that is over, was used, or belongs to another browser."""

    status = HTTPStatus.BAD_REQUEST


class NotAllowedFailure(LoginFailure):
    """Somebody whom the settings do not let in."""


class ProviderFailure(LoginFailure):
    """The provider cannot be asked now, or answers what it should not; says nothing about anybody."""

    status = HTTPStatus.BAD_GATEWAY


class GoneFailure(LoginFailure):
    """The provider has ended somebody's session for good."""


def shown(text: object, limit: int = 200) -> str:
    """What somebody else wrote, fit for one line."""
    words = " ".join(str(text).split())
    printable = "".join(letter if letter.isprintable() else "?" for letter in words)
    return printable if len(printable) <= limit else printable[: limit - 1] + "…"
