"""The `ssh` section."""

from collections.abc import Sequence
from datetime import timedelta

from hatsize.policy.document import SSHRule
from hatsize.policy.durations import duration_text, read_duration
from hatsize.policy.names import Names
from hatsize.policy.reader import Fields, Text
from hatsize.policy.selectors import SELF, Kind, Place, Selector
from hatsize.wire.hujson_tree import Value

_FIELDS = (
    "action", "src", "dst", "users", "checkPeriod", "acceptEnv", "recorder", "enforceRecorder", "srcPosture",
)  # fmt: skip
DEFAULT_CHECK_PERIOD = timedelta(hours=12)
MAX_CHECK_PERIOD = timedelta(hours=168)
LOCALPART = "localpart:*@"


def read_ssh(names: Names, value: Value | None, default_postures: tuple[str, ...]) -> tuple[SSHRule, ...]:
    return tuple(
        _rule(names, item, f"ssh[{number}]", default_postures)
        for number, item in enumerate(names.reader.items(value, "ssh"))
    )


def _rule(names: Names, item: Value, path: str, default_postures: tuple[str, ...]) -> SSHRule:
    reader = names.reader
    fields = reader.fields(item, path, _FIELDS)
    src = names.selectors(fields.texts("src"), Place.SSH_SRC)
    dst = names.selectors(fields.texts("dst"), Place.SSH_DST)
    check = _action(fields) == "check"
    _check_pairs(fields, src, dst)
    names.warn_if_idle(fields, src=src, dst=dst)
    postures = names.posture_names(fields.texts("srcPosture")) if "srcPosture" in fields else default_postures
    return SSHRule(
        path=path,
        line=reader.line(item.start),
        check=check,
        src=src,
        dst=dst,
        users=_users(names, fields),
        check_period=_check_period(fields),
        accept_env=_accept_env(fields),
        recorders=_recorders(names, fields),
        enforce_recorder=fields.flag("enforceRecorder"),
        postures=postures,
    )


def _action(fields: Fields) -> str:
    action = (fields.text("action") or "").strip()
    if not action:
        fields.reader.refuse(fields.at, "action must be specified")
    elif action not in {"accept", "check"}:
        fields.reader.refuse(fields.at, f'"{action}" is not a valid action', 'only "accept" and "check" are')
    return action


def _users(names: Names, fields: Fields) -> tuple[str, ...]:
    texts = fields.texts("users")
    if not texts:
        fields.reader.refuse(fields.at, "users must be specified")
    return tuple(name for text in texts if (name := _user(names, text)))


def _user(names: Names, text: Text) -> str:
    name = text.strip()
    fault = f'user "{name}" is not valid' if name in {"", "*"} else ""
    if name.startswith(LOCALPART):
        fault = names.foreign(name.removeprefix(LOCALPART))
    if fault:
        names.reader.refuse(text.at, fault)
        return ""
    return name


def _check_period(fields: Fields) -> timedelta | None:
    text = fields.text("checkPeriod")
    if text is None:
        return DEFAULT_CHECK_PERIOD
    if text.strip() == "always":
        return None
    period = fields.reader.attempt(text.at, read_duration, text.strip())
    if period is None:
        return None
    if period < timedelta(0):
        fields.reader.refuse(text.at, f"checkPeriod {text.strip()} must be a positive duration")
    elif period > MAX_CHECK_PERIOD:
        fields.reader.refuse(text.at, f"checkPeriod {duration_text(period)} is above the max (168h)")
    return period


def _accept_env(fields: Fields) -> tuple[str, ...]:
    texts = fields.texts("acceptEnv")
    for text in texts:
        if not text.strip():
            fields.reader.refuse(text.at, "acceptEnv values cannot be empty")
    return tuple(str(text) for text in texts)


def _recorders(names: Names, fields: Fields) -> tuple[str, ...]:
    found = []
    for text in fields.texts("recorder"):
        selector = names.selector(text, Place.SSH_SRC)
        if selector and selector.kind is not Kind.TAG:
            names.reader.refuse(text.at, f'recorder "{selector}": recorders can only be tags')
        elif selector:
            found.append(selector.name)
    return tuple(found)


def _check_pairs(fields: Fields, src: Sequence[Selector], dst: Sequence[Selector]) -> None:
    """A user is a destination only for itself, and what has no user cannot be the source of its own devices."""
    for one in dst:
        if one.kind is Kind.USER and any(other != one for other in src):
            fields.reader.refuse(fields.at, f'invalid dst "{one}"', "a user as dst must be the only src")
    has_tags = any(one.kind is Kind.TAG or one.name == "autogroup:tagged" for one in src)
    if SELF in dst and has_tags:
        fields.reader.refuse(
            fields.at,
            "autogroup:self can only be used with users, groups, or supported autogroups",
            "tags have no user",
        )
