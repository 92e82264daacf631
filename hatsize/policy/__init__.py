"""A policy document in, what each node is sent because of it out. Pure.

`read_document` reads and checks a text, `compile_policy` ties it to a `Topology`, and the `Compiled` answers.
"""

from hatsize.policy.compile import compile_policy
from hatsize.policy.compiled import Compiled
from hatsize.policy.document import Document
from hatsize.policy.errors import PolicyError, Remark
from hatsize.policy.read import read_document
from hatsize.policy.topology import Topology, from_golden, from_state

__all__ = [
    "Compiled",
    "Document",
    "PolicyError",
    "Remark",
    "Topology",
    "compile_policy",
    "from_golden",
    "from_state",
    "read_document",
]
