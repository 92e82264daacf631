"""The policy in the database of a server that does not run."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from hatsize.cli.configured import configured
from hatsize.cli.failures import Failure, WrongSettings
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


def store_policy(text: str) -> None:
    """Save a policy; raises Failure when it is refused."""
    with _opened() as (services, state):
        change = save_policy(state, text, services.policy.check, datetime.now(UTC), author="local")
        services.storage.commit([change], state.seq)


def check_policy(text: str) -> None:
    """Check a policy against what is stored; raises Failure when it is refused."""
    with _opened() as (services, state):
        services.policy.check(text, state)


@contextmanager
def _opened() -> Iterator[tuple[Services, State]]:
    """The configured services, their storage open, and the state it holds; refusals inside become Failures."""
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
    except (StorageError, PolicyError) as error:
        raise Failure(str(error)) from error


def _state(services: Services) -> State:
    tailnets = services.storage.tailnets()
    if not tailnets:
        raise Failure("no tailnet is stored there: start the server once, or name its directory with --data-dir")
    snapshot = services.storage.load(tailnets[0].id)
    return State.load(tailnets[0].id, snapshot.seq, snapshot.records, snapshot.last_ids)
