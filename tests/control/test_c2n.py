"""Requests to a client's own HTTP server."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatsize.control.c2n import ask_client, raw_request, read_answer
from hatsize.control.pings import NoAnswerError


class Asked:
    """Pings that answer at once."""

    def __init__(self, answer):
        self.answer = answer

    async def ask(self, node_id, **question):
        self.question = question
        return self.answer


@pytest.mark.anyio
async def test_a_request_goes_there_and_an_answer_comes_back():
    pings = Asked(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok")
    answer = await ask_client(pings, 1, "/echo", method="post", body=b"hi", within=5)
    assert (answer.status, answer.content_type, answer.body) == (200, "text/plain", b"ok")
    assert pings.question == {
        "within": 5,
        "types": "c2n",
        "payload": b"POST /echo HTTP/1.1\r\nHost: node\r\nContent-Length: 2\r\nC2n-Handler-Timeout: 5s\r\n\r\nhi",
    }


def test_a_chunked_answer_is_put_together():
    raw = b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n"
    assert (read_answer(raw).status, read_answer(raw).body) == (404, b"no")


def test_an_answer_without_a_length_ends_with_its_bytes():
    assert read_answer(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it").body == b"all of it"


@pytest.mark.parametrize("path", ["echo", "/a b", "/a\r\nX: y", "/ä", ""])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(ValueError, match="is not a path: give one such as /debug/goroutines"):
        raw_request("GET", path, b"", 1)


@pytest.mark.parametrize("method", ["", "GET ", "G\r\n", "DÉ"])
def test_what_is_no_method_is_refused(method):
    with pytest.raises(ValueError, match="is not an HTTP method"):
        raw_request(method, "/", b"", 1)


@given(st.binary() | st.binary().map(b"HTTP/1.1 200 OK\r\n".__add__))
def test_no_answer_is_worse_than_none(raw):
    try:
        read_answer(raw)
    except NoAnswerError as error:
        assert "no HTTP response" in str(error)  # noqa: PT017 - there need not be one
