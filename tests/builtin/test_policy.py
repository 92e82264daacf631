"""The built-in policy engine keeps the contract, without a policy and with one."""

import json

import pytest

from hatsize.builtin.policy import HuJSONEngine
from hatsize.testing.contracts.policy import PolicyEngineContract

RESTRICTIVE = json.dumps(
    {
        "tagOwners": {"tag:server": ["user1@"]},
        "acls": [
            {"action": "accept", "src": ["user1@"], "dst": ["tag:server:22", "10.1.0.0/16:*"]},
            {"action": "accept", "src": ["autogroup:member"], "dst": ["autogroup:self:*"]},
        ],
        "ssh": [{"action": "accept", "src": ["user1@"], "dst": ["tag:server"], "users": ["root"]}],
    }
)


class TestHuJSON(PolicyEngineContract):
    @pytest.fixture
    def engine(self):
        return HuJSONEngine()

    @pytest.fixture(params=[None, RESTRICTIVE], ids=["no policy", "a restrictive one"])
    def document(self, request):
        return request.param
