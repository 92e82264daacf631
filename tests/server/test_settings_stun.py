"""The settings' section `stun`."""

import pytest

from hatsize.server.settings_sections import Stun


def test_a_single_address_may_be_given_as_a_text():
    assert [str(address) for address in Stun.model_validate({"listen": "127.0.0.1:99"}).listen] == ["127.0.0.1:99"]


@pytest.mark.parametrize(
    ("given", "port"), [({"listen": "0.0.0.0:99"}, 99), ({"enabled": False}, -1), ({"listen": ""}, -1)]
)
def test_clients_are_told_of_the_first_port_or_of_none(given, port):
    assert Stun.model_validate(given).port == port
