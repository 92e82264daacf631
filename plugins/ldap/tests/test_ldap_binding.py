"""What servers answer to a password, and what is told of it to whom."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatsize_ldap.binding import DISABLED, EXPIRED, PASSWORD_POLICY, answer_of, policy_error


def result(code, message="", description="invalidCredentials", control=None, referrals=None):
    controls = {PASSWORD_POLICY: {"value": control}} if control is not None else {}
    return {
        "result": code,
        "description": description,
        "message": message,
        "controls": controls,
        "referrals": referrals,
    }


def windows(code):
    return f"80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data {code}, v4563"


def test_success_is_a_yes():
    assert answer_of(result(0)).accepted


@pytest.mark.parametrize("code", [1, 2, 10, 19, 32, 34, 48, 49, 50, 53, 80])
def test_everything_else_is_a_no_that_tells_nothing(code):
    answer = answer_of(result(code, "why ever", referrals=["ldap://b.example.com"]))
    assert (answer.accepted, answer.tell) == (False, "")
    assert answer.why


@pytest.mark.parametrize(
    ("code", "why", "tell"),
    [
        ("52e", "the password is wrong", ""),
        ("525", "there is no such user", ""),
        ("775", "the account is locked", ""),
        ("532", "the password has expired", EXPIRED),
        ("773", "the password must be changed", EXPIRED),
        ("533", "the account is disabled", DISABLED),
        ("701", "the account has expired", DISABLED),
    ],
)
def test_active_directory_says_why(code, why, tell):
    answer = answer_of(result(49, windows(code)))
    assert (answer.accepted, answer.why, answer.tell) == (False, why, tell)


def policy(error):
    return bytes([0x30, 3, 0x81, 1, error])


@pytest.mark.parametrize(
    ("error", "why", "tell"), [(0, "has expired", EXPIRED), (1, "is locked", ""), (6, "policy 6", "")]
)
def test_a_password_policy_says_why(error, why, tell):
    answer = answer_of(result(49, control=policy(error)))
    assert not answer.accepted
    assert why in answer.why
    assert answer.tell == tell


def test_a_password_that_has_to_be_changed_lets_nobody_in():
    answer = answer_of(result(0, control=policy(2)))
    assert (answer.accepted, answer.tell) == (False, EXPIRED)


def test_a_warning_alone_is_no_error():
    assert policy_error(bytes.fromhex("3005a003800164")) is None
    assert policy_error(bytes.fromhex("3008a003800164810100")) == 0


@given(st.one_of(st.none(), st.binary()))
def test_any_bytes_can_be_read(value):
    error = policy_error(value)
    assert error is None or 0 <= error < 256
