"""`hatsize serve` with nothing configured: the line it prints lets a first machine in, and others follow by key."""

import re
from collections.abc import Iterator

import pytest

from tests.clients.lab.client import Client
from tests.clients.lab.laboratory import Lab, laboratory
from tests.clients.lab.server import Hatsize, hatsize

JOIN_LINE = re.compile(r"tailscale up --login-server (\S+) --auth-key (\S+)")


class Unconfigured(Hatsize):
    """Not even told where to listen, nor by which address it is reached."""

    def serve_argv(self) -> list[str]:
        return [hatsize(), "serve"]


@pytest.fixture(scope="module")
def lab(programs: None) -> Iterator[Lab]:
    with laboratory(Unconfigured) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def line(lab: Lab) -> tuple[str, str]:
    """Login server and key of the first start's line."""
    match = JOIN_LINE.search(lab.server.log.read_text())
    assert match, f"no join line\n{lab.server.evidence()}"
    return match[1], match[2]


@pytest.fixture(scope="module")
def first(lab: Lab, line: tuple[str, str]) -> Client:
    """The machine on which the line was pasted."""
    client = lab.client("first", behind_nat=True)
    client.up(*line)
    return client


def test_the_line_names_the_address_that_clients_reach(lab: Lab, line: tuple[str, str]) -> None:
    assert line[0] == lab.server.url


def test_the_line_lets_a_first_machine_in(first: Client) -> None:
    first.wait_state("Running")


def test_the_line_lets_no_second_machine_in(lab: Lab, first: Client, line: tuple[str, str]) -> None:
    with pytest.raises(AssertionError, match=r"(?i)key.*used"):
        lab.client("second").up(*line)


def test_machines_that_follow_by_key_reach_the_first_by_name(lab: Lab, first: Client) -> None:
    third = lab.client("third")
    lab.join(third)
    third.reach("first")
    first.reach("third")


def test_a_later_start_prints_no_key(lab: Lab, first: Client) -> None:
    lab.server.stop()
    lab.server.start()
    assert len(JOIN_LINE.findall(lab.server.log.read_text())) == 1
