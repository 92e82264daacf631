"""Certificates of the port."""

import hashlib
import ssl
import stat

import pytest
from cryptography import x509

from hatsize.server import tls
from hatsize.server.tls import CertificateError, CertificateFiles, build_context, meta_certificate, pin, self_signed


def certificate(path):
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_it_names_what_it_is_for(tmp_path):
    made = certificate(self_signed(tmp_path, ["hat.example.com", "192.0.2.1", "2001:db8::1"]).certificate)
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["hat.example.com"]
    assert list(map(str, names.get_values_for_type(x509.IPAddress))) == ["192.0.2.1", "2001:db8::1"]


def test_its_key_is_its_owners_alone(tmp_path):
    assert stat.S_IMODE(self_signed(tmp_path, ["x"]).key.stat().st_mode) == 0o600


def test_it_is_kept(tmp_path):
    first = pin(self_signed(tmp_path, ["a", "b"]).certificate)
    assert pin(self_signed(tmp_path, ["b", "a"]).certificate) == first


def test_other_names_need_another(tmp_path):
    first = pin(self_signed(tmp_path, ["a"]).certificate)
    assert pin(self_signed(tmp_path, ["b"]).certificate) != first


def test_one_about_to_expire_is_replaced(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(tls, "LIFETIME", tls._RENEW_BEFORE / 2)
        first = pin(self_signed(tmp_path, ["a"]).certificate)
    assert pin(self_signed(tmp_path, ["a"]).certificate) != first


def test_the_pin_is_over_the_whole_certificate(tmp_path):
    path = self_signed(tmp_path, ["a"]).certificate
    der = ssl.PEM_cert_to_DER_cert(path.read_text())
    assert pin(path) == "sha256-raw:" + hashlib.sha256(der).hexdigest()


@pytest.mark.filterwarnings("ignore:Attribute's length")
def test_the_meta_certificate_tells_the_relays_key():
    made = x509.load_pem_x509_certificate(meta_certificate(bytes(range(32))))
    assert made.subject.rfc4514_string() == "CN=derpkey" + bytes(range(32)).hex()
    assert made.serial_number == 2


def test_what_is_appended_follows_the_chain(tmp_path):
    context = build_context(self_signed(tmp_path, ["localhost"]), meta_certificate(bytes(32)))
    assert len(handshake(context).get_unverified_chain()) == 2


def handshake(server_context, ciphers=""):
    """The client's end; with `ciphers` it speaks TLS 1.2 and prefers them in that order."""
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ciphers:
        client_context.maximum_version = ssl.TLSVersion.TLSv1_2
        client_context.set_ciphers(ciphers)
    client_context.check_hostname = False
    client_context.verify_mode = ssl.CERT_NONE
    client_context.set_alpn_protocols(["h2"])
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(back, there)
    server = server_context.wrap_bio(there, back, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return client._sslobj


def test_http_2_and_tls_1_3_are_spoken(tmp_path):
    client = handshake(build_context(self_signed(tmp_path, ["localhost"])))
    assert (client.version(), client.selected_alpn_protocol()) == ("TLSv1.3", "h2")


def test_the_client_chooses_the_cipher(tmp_path):
    context = build_context(self_signed(tmp_path, ["localhost"]))
    ciphers = ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES256-GCM-SHA384"]
    for order in (ciphers, ciphers[::-1]):
        assert handshake(context, ":".join(order)).cipher()[0] == order[0]


def test_no_session_tickets_are_sent(tmp_path):
    client = handshake(build_context(self_signed(tmp_path, ["localhost"])))
    with pytest.raises(ssl.SSLWantReadError):
        client.read(1)
    assert not client.session.has_ticket


def test_missing_files_are_named(tmp_path):
    with pytest.raises(CertificateError, match=r"missing.crt does not exist"):
        build_context(CertificateFiles(tmp_path / "missing.crt", tmp_path / "missing.key"))


def test_files_that_are_no_pair_are_named(tmp_path):
    one, other = self_signed(tmp_path / "a", ["a"]), self_signed(tmp_path / "b", ["b"])
    with pytest.raises(CertificateError, match=r"self-signed.crt"):
        build_context(CertificateFiles(one.certificate, other.key))


def test_a_pin_needs_a_certificate(tmp_path):
    with pytest.raises(CertificateError, match="no PEM certificate"):
        pin(tmp_path / "none")
