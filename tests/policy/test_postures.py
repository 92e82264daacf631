import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatsize.policy.postures import Posture, read_condition

ATTRIBUTES = {"node:os": "macos", "node:tsVersion": "1.60.1", "custom:tier": 3, "custom:ok": True, "custom:half": 0.5}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("node:os == 'macos'", True),
        ("node:os != 'linux'", True),
        ('node:os IN ["linux", "macos"]', True),
        ("node:os not in ['linux']", True),
        ("node:os IN []", False),
        ("custom:tier > 2", True),
        ("custom:tier <= 2.5", False),
        ("custom:half < 1", True),
        ("custom:ok == true", True),
        ("custom:ok == 1", False),
        ("custom:tier == 3", True),
        ("node:tsVersion >= '1.60'", True),
        ("node:tsVersion < '1.100'", True),
        ("node:tsVersion == '1.60'", False),
        ("node:os > 'linux'", False),
        ("custom:none != 'x'", False),
        ("custom:none NOT IN ['x']", False),
        ("custom:none NOT SET", True),
        ("custom:none IS SET", False),
        ("custom:tier IS  SET", True),
    ],
)
def test_conditions(condition, holds):
    assert read_condition(condition).holds(ATTRIBUTES) is holds


@pytest.mark.parametrize(
    "condition",
    ["", "node:os", "os == 'x'", "node:os == ", "node:os == macos", "node:os IN 'x'", "node:os == 'a' 'b'", "a:b SET",
     "node:os IS SET 1", "node:os == 'a', 'b'", "node:os IN ['a' 'b']"],
)  # fmt: skip
def test_what_is_no_condition(condition):
    with pytest.raises(ValueError, match="posture condition"):
        read_condition(condition)


def test_all_conditions_must_hold():
    conditions = (read_condition("custom:tier > 1"), read_condition("custom:tier < 3"))
    assert not Posture("posture:x", conditions).holds(ATTRIBUTES)
    assert Posture("posture:x", conditions).holds({"custom:tier": 2})


@given(st.text(max_size=30))
def test_anything_is_a_condition_or_a_value_error(text):
    try:
        read_condition(text).holds(ATTRIBUTES)
    except ValueError:
        return
