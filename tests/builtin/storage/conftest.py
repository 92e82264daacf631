import pytest


@pytest.fixture
def postgres_url(postgres_server):
    """An empty database."""
    return postgres_server.new_database()
