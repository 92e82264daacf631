"""Which clients are served."""

import pytest

from hatsize.wire.capver import MINIMUM, RELEASES, refusal, release


def test_the_minimum_is_tailscale_1_80():
    assert release(MINIMUM) == "1.80"
    assert refusal(MINIMUM) is None


def test_versions_only_grow():
    assert list(RELEASES.values()) == sorted(RELEASES.values())


@pytest.mark.parametrize(("version", "name"), [(113, "1.80"), (123, "1.86"), (145, "1.102"), (106, "1.76"), (1, "")])
def test_a_version_names_the_newest_release_that_speaks_it(version, name):
    assert release(version) == name


def test_an_old_client_is_told_what_to_do():
    assert refusal(106) == "Tailscale 1.76 is too old for this server: update the client to 1.80 or newer"


def test_a_client_of_unknown_age_is_told_too():
    assert refusal(3) == "This client is too old for this server: update the client to 1.80 or newer"
