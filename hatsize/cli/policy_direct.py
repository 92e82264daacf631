"""The policy in the database of a server that does not run."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from hatsize.cli.configured import configured
from hatsize.cli.failures import Failure, Refused, WrongSettings
from hatsize.hooks.manager import PluginError
from hatsize.hooks.storage import StorageError
from hatsize.live.services import Services
from hatsize.policy.errors import PolicyError
from hatsize.server.plugins import choose_services, load_plugins
from hatsize.server.settings import SettingsError
from hatsize.tailnet.commands.policy import policy_in_force, save_policy
from hatsize.tailnet.state import State


def stored_policy() -> str:
    """The policy that is stored; raises Failure when there is none."""
    with _opened() as (_, state):
        found = policy_in_force(state)
    if found is None:
        raise Failure("no policy was saved yet, so everything is allowed: save one with `hatsize policy set`")
    return found.document


def store_policy(text: str) -> Sequence[str]:
    """Save a policy; the warnings about it. Raises Refused, and Failure where the policy is read from a file."""
    warnings: list[str] = []
    file = configured().policy.file
    if file is not None:
        raise Failure(f"the policy is read from {file}: change that file, or take policy.file out of the settings")
    with _opened() as (services, state):

        def check(document: str, state: State) -> Sequence[str]:
            warnings[:] = services.policy.check(document, state)
            return warnings

        change = save_policy(state, text, check, datetime.now(UTC), author="local")
        services.storage.commit([change], state.seq)
    return warnings


def check_policy(text: str) -> Sequence[str]:
    """Check a policy against what is stored; the warnings about it. Raises Refused."""
    with _opened() as (services, state):
        return services.policy.check(text, state)


@contextmanager
def _opened() -> Iterator[tuple[Services, State]]:
    """The configured services, their storage open, and the state it holds; refused policies become Refused."""
    settings = configured()
    try:
        services = choose_services(load_plugins(settings), settings)
    except (PluginError, SettingsError) as error:
        raise WrongSettings(str(error)) from None
    try:
        services.storage.open()
        try:
            yield services, _state(services)
        finally:
            services.storage.close()
    except PolicyError as error:
        raise Refused(error.message, error.data) from error
    except StorageError as error:
        raise Failure(str(error)) from error


def _state(services: Services) -> State:
    tailnets = services.storage.tailnets()
    if not tailnets:
        raise Failure("no tailnet is stored there: start the server once, or name its directory with --data-dir")
    snapshot = services.storage.load(tailnets[0].id)
    return State.load(tailnets[0].id, snapshot.seq, snapshot.records, snapshot.last_ids)
