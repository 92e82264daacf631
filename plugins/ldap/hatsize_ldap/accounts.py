"""Whether an account may be used, by the attributes in which directories say so.

An account that is locked for a while after wrong passwords is not among these: its password is refused by the directory
itself, and nobody's machines should go because somebody else guesses at their password.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hatsize_ldap.entries import Entry

_WINDOWS_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ACCOUNT_DISABLE = 0x2
_NEVER = frozenset({0, 0x7FFF_FFFF_FFFF_FFFF})
_LOCKED_FOR_GOOD = "000001010000Z"

DISABLED = "the account is disabled in the directory"
EXPIRED = "the account has expired in the directory"


def _user_account_control(value: str, now: datetime) -> str:
    """Active Directory, MS-ADTS 2.2.16: a sum of flags."""
    del now
    return DISABLED if _number(value) & _ACCOUNT_DISABLE else ""


def _account_expires(value: str, now: datetime) -> str:
    """Active Directory, MS-ADA1 2.2: tenths of microseconds since 1601."""
    number = _number(value)
    if number in _NEVER or number < 0:
        return ""
    return EXPIRED if number // 10 <= (now - _WINDOWS_EPOCH) // timedelta(microseconds=1) else ""


def _locked_time(value: str, now: datetime) -> str:
    """draft-behera-ldap-password-policy, 5.3.3: this value stands for a lock that only an administrator opens."""
    del now
    return DISABLED if value == _LOCKED_FOR_GOOD else ""


def _end_time(value: str, now: datetime) -> str:
    """The same draft's pwdEndTime, and FreeIPA's krbPrincipalExpiration: a GeneralizedTime."""
    moment = _generalized(value)
    return EXPIRED if moment is not None and moment <= now else ""


def _shadow_expire(value: str, now: datetime) -> str:
    """RFC 2307 and shadow(5): days since 1970; nothing above 0 means never."""
    days = _number(value)
    return EXPIRED if 0 < days <= (now - _UNIX_EPOCH).days else ""


def _account_lock(value: str, now: datetime) -> str:
    """FreeIPA and 389 Directory Server: `TRUE`."""
    del now
    return DISABLED if value.upper() == "TRUE" else ""


def _account_status(value: str, now: datetime) -> str:
    """GLAuth, and the schema of qmail-ldap."""
    del now
    return DISABLED if value.lower() in {"inactive", "disabled", "deleted"} else ""


STATES: dict[str, Callable[[str, datetime], str]] = {
    "userAccountControl": _user_account_control,
    "accountExpires": _account_expires,
    "pwdAccountLockedTime": _locked_time,
    "pwdEndTime": _end_time,
    "krbPrincipalExpiration": _end_time,
    "shadowExpire": _shadow_expire,
    "nsAccountLock": _account_lock,
    "accountStatus": _account_status,
}
"""By attribute. Directories have few of them each, and give nothing for the others."""


def why_not(entry: Entry, now: datetime) -> str:
    """Why an account may not be used; empty when it may."""
    reasons = (state(entry.text(attribute), now) for attribute, state in STATES.items() if entry.text(attribute))
    return next(filter(None, reasons), "")


def _number(value: str) -> int:
    """A directory's integer, 0 for what is none."""
    try:
        return int(value[:20])
    except ValueError:
        return 0


def _generalized(value: str) -> datetime | None:
    """A GeneralizedTime (RFC 4517, 3.3.13) to the second; None for what is none."""
    try:
        return datetime.strptime(value[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
