"""What the settings take, and what they refuse with a mend."""

import pytest
from pydantic import ValidationError

from hatsize_metrics.settings import Settings, host_port


def test_the_default_listens_on_this_machine_alone():
    assert host_port(Settings().listen) == ("127.0.0.1", 9470)
    assert not Settings().token


@pytest.mark.parametrize(("listen", "parts"), [("[::1]:9000", ("::1", 9000)), ("0.0.0.0:1", ("0.0.0.0", 1))])
def test_addresses_of_both_families(listen, parts):
    assert host_port(Settings(listen=listen).listen) == parts


@pytest.mark.parametrize("listen", ["localhost:1", "9470", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:x"])
def test_what_is_no_address_is_refused(listen):
    with pytest.raises(ValidationError, match=r"is not an address and port; give one such as 127\.0\.0\.1:9470"):
        Settings(listen=listen)


def test_a_short_token_is_refused_and_none_is_shown():
    with pytest.raises(ValidationError, match="is too short to be a secret"):
        Settings(token="hunter2")
    assert "0123456789abcdef" not in repr(Settings(token="0123456789abcdef"))


def test_a_misspelt_key_is_refused():
    with pytest.raises(ValidationError, match="per_nodes"):
        Settings(per_nodes=True)
