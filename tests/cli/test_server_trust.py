"""Which servers the command line trusts over HTTPS, and how to have it trust one with a certificate of its own."""

import hashlib
import socketserver
import ssl
import threading
from http.server import BaseHTTPRequestHandler

import pytest

from hatsize.cli.server_trust import CA, INSECURE, PIN
from hatsize.testing.certificates import self_signed

SECRET = "tskey-api-x-y"


class Answering(socketserver.ThreadingTCPServer):
    """A server over HTTPS that says it is well, and remembers the keys it was sent."""

    def __init__(self, files):
        super().__init__(("127.0.0.1", 0), Handler)
        self.keys = []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*files)

    def get_request(self):
        plain, address = super().get_request()
        plain.settimeout(5)
        return self.context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request, client_address):
        """A client that does not trust it goes away in the handshake."""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.keys.append(self.headers["Authorization"])
        body = b'{"databaseConnectivity": true}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def certificate(tmp_path):
    return self_signed(tmp_path / "tls", ["127.0.0.1"])


@pytest.fixture
def answering(certificate, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    for name in (CA, PIN, INSECURE):
        monkeypatch.delenv(name, raising=False)
    with Answering(certificate) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("HATSIZE_SERVER_URL", f"https://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setenv("HATSIZE_API_KEY", SECRET)
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def fingerprint(certificate):
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate[0].read_text())).hexdigest()


def test_a_self_signed_server_is_not_trusted_and_the_mend_is_told(hatsize, answering, fingerprint):
    result = hatsize("health")
    assert result.code == 1
    assert "is not trusted" in result.err
    assert f"{PIN}=sha256:{fingerprint}" in result.err
    assert answering.keys == []


def test_what_the_error_says_works(hatsize, answering, monkeypatch):
    monkeypatch.setenv(PIN, hatsize("health").err.rpartition("=")[2].strip())
    assert hatsize("health").out == "The server is well.\n"
    assert answering.keys == [f"Bearer {SECRET}"]


@pytest.mark.parametrize("form", ["sha256-raw:{}", "{}", " SHA256:{} "])
def test_a_pin_may_be_written_as_others_write_it(hatsize, answering, monkeypatch, fingerprint, form):
    monkeypatch.setenv(PIN, form.format(fingerprint))
    assert hatsize("health").code == 0
    monkeypatch.setenv(PIN, ":".join(fingerprint[at : at + 2] for at in range(0, 64, 2)).upper())
    assert hatsize("health").code == 0


def test_another_server_is_sent_nothing(hatsize, answering, monkeypatch):
    monkeypatch.setenv(PIN, "0" * 64)
    result = hatsize("health")
    assert (result.code, answering.keys) == (1, [])
    assert "shows another certificate" in result.err


def test_a_file_with_the_certificate_is_trusted(hatsize, answering, monkeypatch, certificate):
    monkeypatch.setenv(CA, str(certificate[0]))
    assert hatsize("health").code == 0


def test_a_file_with_another_certificate_is_not(hatsize, answering, monkeypatch, tmp_path):
    monkeypatch.setenv(CA, str(self_signed(tmp_path / "other", ["127.0.0.1"])[0]))
    assert "is not trusted" in hatsize("health").err
    assert answering.keys == []


def test_a_certificate_for_another_name_is_not_trusted(hatsize, answering, monkeypatch, certificate):
    monkeypatch.setenv(CA, str(certificate[0]))
    monkeypatch.setenv("HATSIZE_SERVER_URL", f"https://localhost:{answering.server_address[1]}")
    assert "is not trusted" in hatsize("health").err


def test_whoever_answers_is_asked_only_where_that_is_said_and_then_with_a_warning(hatsize, answering, monkeypatch):
    monkeypatch.setenv(INSECURE, "1")
    result = hatsize("health")
    assert (result.code, result.out) == (0, "The server is well.\n")
    assert result.err.startswith(f"Warning: {INSECURE} is set")
    monkeypatch.setenv(INSECURE, "0")
    assert "is not trusted" in hatsize("health").err


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({PIN: "abc"}, "is no SHA-256 fingerprint"),
        ({CA: "/nonexistent.pem"}, "cannot be read"),
        ({CA: __file__}, "holds no certificates"),
        ({CA: "/nonexistent.pem", INSECURE: "1"}, "contradict"),
    ],
)
def test_variables_that_cannot_be_used_are_told(hatsize, answering, monkeypatch, variables, words):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    result = hatsize("health")
    assert (result.code, answering.keys) == (1, [])
    assert words in result.err
