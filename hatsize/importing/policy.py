"""The policy: the newest in the database, or the configured file. Its text comes over as it is, comments and all."""

from hatsize.builtin.policy import HuJSONEngine
from hatsize.importing.configuration import Configuration
from hatsize.importing.findings import Findings, ImportRefusedError
from hatsize.importing.rows import Tables, rows
from hatsize.importing.terms import Terms
from hatsize.policy.errors import PolicyError
from hatsize.tailnet.model import PolicyVersion
from hatsize.tailnet.state import State

WHAT = "policy"


def policy_of(tables: Tables, configuration: Configuration, terms: Terms, findings: Findings) -> PolicyVersion | None:
    """The policy in force, if there is one; raises ImportRefusedError when its file cannot be read."""
    found = rows(tables, ["policies"], lambda cells: f"policy {cells.get('id')}", findings)
    mode, path = str(configuration.get("policy.mode", "file")), configuration.file("policy.path")
    version = None
    if mode == "file" and path is not None:
        try:
            version = PolicyVersion(id=1, document=path.read_text("utf-8"), author="headscale", created=terms.now)
        except (OSError, UnicodeDecodeError) as error:
            raise ImportRefusedError(f"the policy {path} cannot be read: {error}; mend it, or policy.path") from error
        findings.note(WHAT, f"{path} is kept in the database from now on: change it with `hatsize policy set`")
    elif mode == "database" and found:
        newest = found[-1]
        created = newest.time("created_at") or terms.unknown
        version = PolicyVersion(id=newest.id, document=newest.text("data"), author="headscale", created=created)
        if len(found) > 1:
            findings.note(WHAT, f"{len(found) - 1} older versions stay behind")
    findings.count("policies", int(version is not None), int(version is not None))
    return version


def given_policy(document: str, terms: Terms) -> PolicyVersion:
    """A policy that is to be in force instead."""
    return PolicyVersion(id=1, document=document, author="local", created=terms.now)


def check_policy(state: State, version: PolicyVersion | None, findings: Findings) -> None:
    """Hold the policy against the tailnet it is for; raises ImportRefusedError when it cannot be in force here.

    Tests in it that fail are told of only, as Headscale does when it starts.
    """
    if version is None:
        findings.note(WHAT, "there is none, so everybody may reach everybody, as before")
        return
    try:
        warnings = HuJSONEngine().check(version.document, state)
    except PolicyError as error:
        if not error.data:
            mend = "mend it in Headscale, or give another one with --policy"
            raise ImportRefusedError(f"the policy is refused: {error.message}; {mend}") from error
        findings.changed(WHAT, f"its own tests fail: {error.message}")
        return
    for warning in warnings:
        findings.note(WHAT, warning)
