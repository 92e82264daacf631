"""What a provider says of itself, and the keys it signs with: read once, read anew when there is reason to."""

import pytest
from joserfc.jwk import ECKey

from hatsize_oidc.asking import Line
from hatsize_oidc.failures import LoginFailure, ProviderFailure, StaleFailure
from hatsize_oidc.metadata import FRESH, RETRY, MetadataCache, parse
from hatsize_oidc.signing_keys import REREAD_AFTER, SigningKeys

pytestmark = pytest.mark.anyio

ISSUER = "https://id.example.com/realms/main"


class Watch:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def line(fake):
    return Line("work", None, fake.transport)


@pytest.fixture
def metadata(line, watch):
    return MetadataCache(line, ISSUER, watch)


@pytest.fixture
def keys(line, watch):
    return SigningKeys(line, watch)


async def test_it_is_read_once_and_anew_after_an_hour(metadata, fake, watch):
    assert await metadata.get() is await metadata.get()
    watch.now += FRESH
    await metadata.get()
    assert fake.count("openid-configuration") == 2


async def test_while_the_provider_is_down_what_was_read_is_good(metadata, fake, watch, caplog):
    first = await metadata.get()
    fake.down, watch.now = True, watch.now + FRESH
    assert await metadata.get() is first
    assert "going by what the provider said earlier: work cannot be reached" in caplog.text
    await metadata.get()
    assert fake.count("openid-configuration") == 2
    fake.down, watch.now = False, watch.now + RETRY
    assert await metadata.get() is not first


async def test_where_nothing_was_read_it_says_what_is_wrong(metadata, fake):
    fake.down = True
    with pytest.raises(
        ProviderFailure, match=r"work cannot be reached at https://id.example.com/.*: connection refused"
    ):
        await metadata.get()
    fake.down = False
    assert (await metadata.get()).issuer == ISSUER


@pytest.mark.parametrize("document", [{}, {"issuer": ISSUER}, {"issuer": ISSUER, "authorization_endpoint": 7}])
def test_a_document_without_endpoints_is_no_providers(document):
    with pytest.raises(ProviderFailure):
        parse(document, ISSUER)


async def test_a_new_key_is_read_when_a_token_is_signed_with_it(metadata, keys, fake, watch):
    await keys.opened(fake.id_token(), await metadata.get())
    fake.keys = [ECKey.generate_key("P-256", {"kid": "two"})]
    watch.now += REREAD_AFTER
    opened = await keys.opened(fake.id_token(), await metadata.get())
    assert opened.header["kid"] == "two"
    assert fake.count("keys") == 2


async def test_forged_tokens_do_not_make_us_ask_all_the_time(metadata, keys, fake, watch):
    good = fake.id_token()
    await keys.opened(good, await metadata.get())
    fake.published = fake.keys
    fake.keys = [ECKey.generate_key("P-256", {"kid": "forged"})]
    watch.now += REREAD_AFTER
    for _ in range(5):
        with pytest.raises(StaleFailure, match="a key that the provider does not have"):
            await keys.opened(fake.id_token(), await metadata.get())
    assert fake.count("keys") == 2
    await keys.opened(good, await metadata.get())


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
async def test_no_other_signature_counts(metadata, keys, algorithm):
    header = {"none": "eyJhbGciOiJub25lIn0", "HS256": "eyJhbGciOiJIUzI1NiJ9"}[algorithm]
    with pytest.raises(LoginFailure, match="cannot be read"):
        await keys.opened(f"{header}.eyJzdWIiOiIxIn0.AAAA", await metadata.get())


async def test_keys_that_cannot_be_used_are_the_providers_fault(metadata, line, keys, fake):
    fake.published = []
    fake.metadata = {"jwks_uri": f"{ISSUER}/.well-known/openid-configuration"}
    with pytest.raises(ProviderFailure, match="gives no usable keys"):
        await keys.opened(fake.id_token(), await metadata.get())


async def test_the_reason_that_the_system_gives_is_told():
    with pytest.raises(ProviderFailure, match=r"^work cannot be reached at http://127.0.0.1:1: Connection refused$"):
        await Line("work").get_json("http://127.0.0.1:1")
