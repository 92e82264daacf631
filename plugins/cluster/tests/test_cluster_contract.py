"""The cluster keeps the contract of replication, also before it has joined the others."""

import pytest

from hatsize.hooks.setup import Setup
from hatsize.testing.contracts.replicas import ReplicationContract
from hatsize_cluster.sealing import new_key
from hatsize_cluster.service import Cluster
from hatsize_cluster.settings import Settings


class TestCluster(ReplicationContract):
    @pytest.fixture
    def replication(self, tmp_path):
        key_file = tmp_path / "key"
        key_file.write_text(new_key())
        settings = Settings(key_file=key_file, name="one")
        return Cluster(Setup("cluster", settings, tmp_path, "postgresql://hatsize@127.0.0.1/nowhere"))
