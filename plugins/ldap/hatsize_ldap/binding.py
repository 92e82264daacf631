"""What a server answers to a name and a password, and how much of it somebody may be told."""

import re
from dataclasses import dataclass
from typing import Any

PASSWORD_POLICY = "1.3.6.1.4.1.42.2.27.8.5.1"  # noqa: S105 - the control's name
"""The control of draft-behera-ldap-password-policy, 6.1 and 6.2."""

EXPIRED = "Your password has expired: change it first."
DISABLED = "This account is disabled."

_POLICY_ERRORS = {0: "the password has expired", 1: "the account is locked", 2: "the password must be changed"}
_ACTIVE_DIRECTORY = re.compile(r"\bdata ([0-9a-f]{3,}),")
_DATA = {
    "525": "there is no such user",
    "52e": "the password is wrong",
    "530": "the account may not log in at this hour",
    "532": "the password has expired",
    "533": "the account is disabled",
    "701": "the account has expired",
    "773": "the password must be changed",
    "775": "the account is locked",
}
"""Windows' error codes, as Active Directory gives them with invalidCredentials."""
_TELLABLE = {"532": EXPIRED, "773": EXPIRED, "533": DISABLED, "701": DISABLED}
"""Those that are given for the right password alone, and so tell nothing to anybody else."""


@dataclass(frozen=True, slots=True)
class BindAnswer:
    """Whether a password is right, and what else there is to it."""

    accepted: bool
    why: str = ""
    """For the log."""
    tell: str = ""
    """For whoever typed the password; only where it was the right one."""
    referrals: tuple[str, ...] = ()
    """URLs of servers to ask instead."""


def answer_of(result: dict[str, Any]) -> BindAnswer:
    """What a bind's result means. Any code but success is a no."""
    policy = policy_error((result.get("controls") or {}).get(PASSWORD_POLICY, {}).get("value"))
    if result["result"] == 0:
        must_change = policy == 2
        return BindAnswer(not must_change, _POLICY_ERRORS[2] if must_change else "", EXPIRED if must_change else "")
    if result["result"] == 10:
        return BindAnswer(accepted=False, why="the server refers to another", referrals=tuple(result["referrals"]))
    if policy is not None:
        # Expiry is looked at after the password, a lock before it.
        return BindAnswer(False, _POLICY_ERRORS.get(policy, f"policy {policy}"), EXPIRED if policy == 0 else "")
    message = str(result["message"])
    if code := _ACTIVE_DIRECTORY.search(message):
        return BindAnswer(False, _DATA.get(code[1], message), _TELLABLE.get(code[1], ""))
    return BindAnswer(False, f"{result['description']} {message}".strip())


def policy_error(value: object) -> int | None:
    """The error in a PasswordPolicyResponseValue: `SEQUENCE { [0] warning OPTIONAL, [1] ENUMERATED OPTIONAL }`."""
    if not isinstance(value, bytes) or len(value) < 2 or value[0] != 0x30:
        return None
    place = 2
    while place + 2 < len(value):
        tag, length = value[place], value[place + 1]
        if tag == 0x81 and length == 1:
            return value[place + 2]
        place += 2 + length
    return None
