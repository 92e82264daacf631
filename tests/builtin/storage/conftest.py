import pytest

from hatsize.testing.postgres import NoPostgresError, PostgresServer


@pytest.fixture(scope="session")
def postgres_server():
    """A real PostgreSQL, shared by all tests of a run; skipped with the reason where there is none."""
    try:
        server = PostgresServer()
        server.__enter__()
    except NoPostgresError as error:
        pytest.skip(str(error))
    yield server
    server.close()


@pytest.fixture
def postgres_url(postgres_server):
    """An empty database."""
    return postgres_server.new_database()
