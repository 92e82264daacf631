"""Taking over a Headscale server. Slow to import: only for the verb."""

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from hatsize.builtin.storage.plugin import FILE
from hatsize.cli.arguments import read_text
from hatsize.cli.configured import configured
from hatsize.cli.failures import Failure, WrongSettings
from hatsize.cli.import_report import Report, show_report
from hatsize.cli.invocation import invocation
from hatsize.hooks.errors import PluginError
from hatsize.hooks.storage import Storage, StorageError
from hatsize.importing.configuration import Configuration, database_of, read_configuration
from hatsize.importing.database import read_tables
from hatsize.importing.files import NOISE_KEY, RELAY_KEY, SETTINGS, read_key, tell_of_kept, written
from hatsize.importing.findings import ImportRefusedError
from hatsize.importing.plan import Plan, change_for, plan_of
from hatsize.importing.policy import check_policy
from hatsize.importing.store import Held, check_origin, held_by
from hatsize.importing.terms import Terms
from hatsize.importing.toml import as_toml
from hatsize.server.plugins import choose_services, load_plugins
from hatsize.server.settings import Settings, SettingsError, load_settings

HEADSCALE_SOCKET = "/var/run/headscale/headscale.sock"


def import_headscale(config: Path, database: str | None, policy: Path | None, *, dry_run: bool) -> None:
    """Carry it out, or with `dry_run` only report; raises Failure, and then nothing was changed."""
    settings = configured()
    try:
        report = _carried_out(settings, config, database, policy, dry_run=dry_run)
    except (ImportRefusedError, StorageError) as error:
        raise Failure(f"nothing was imported: {error}") from error
    show_report(report)


def _carried_out(
    settings: Settings, config: Path, database: str | None, policy: Path | None, *, dry_run: bool
) -> Report:
    configuration = read_configuration(config)
    if not dry_run:
        _refuse_running(settings, configuration)
    plan = _plan(configuration, database, policy)
    files = _files(plan, configuration, settings.data_dir)
    tell_of_kept(settings.data_dir, files, plan.findings)
    _check_settings(files[SETTINGS])
    with _storage(settings, dry_run=dry_run) as storage:
        held = held_by(storage) if storage else Held()
        here = read_key(settings.data_dir / NOISE_KEY, "the Noise key")
        check_origin(held, here, files.get(NOISE_KEY), str(settings.data_dir))
        change = change_for(plan, held.state, held.touched)
        check_policy(held.after(change), plan.policy, plan.findings)
        if storage is not None and not dry_run:
            with written(settings.data_dir, files):
                storage.commit([change] if change else [], held.state.seq)
    return Report(plan.findings, change, settings.data_dir / SETTINGS, dry_run=dry_run)


def _plan(configuration: Configuration, database: str | None, policy: Path | None) -> Plan:
    terms = Terms(now=datetime.now(UTC), issuer=str(configuration.get("oidc.issuer", "")))
    given = None if policy is None else read_text(policy)
    return plan_of(read_tables(database or database_of(configuration)), configuration, terms, given)


def _files(plan: Plan, configuration: Configuration, data_dir: Path) -> dict[str, str]:
    """The contents of the files beside the storage, by name; a key that is nowhere is told of."""
    files = {SETTINGS: as_toml({"data_dir": str(data_dir.absolute()), **plan.settings})}
    noise = read_key(configuration.file("noise.private_key_path"), "the Noise key")
    if noise is None:
        text = "it is not where noise.private_key_path says: the server makes a new one, and clients must be restarted"
        plan.findings.left_out("Noise key", text)
    relay = read_key(configuration.file("derp.server.private_key_path"), "the relay's key")
    keys = {NOISE_KEY: noise, RELAY_KEY: relay}
    return files | {name: key for name, key in keys.items() if key is not None}


def _check_settings(text: str) -> None:
    """Raise WrongSettings when a server could not run with the settings."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / SETTINGS
        path.write_text(text, "utf-8")
        try:
            load_settings(path, environ={})
        except SettingsError as error:
            mend = "change them in Headscale's configuration, or in a copy of it"
            raise WrongSettings(f"nothing was imported: these settings cannot come over; {mend}:\n{error}") from None


@contextmanager
def _storage(settings: Settings, *, dry_run: bool) -> Iterator[Storage | None]:
    """The storage, open; for a dry run None where there is none yet, for it shall make none."""
    if dry_run and not settings.database.url.get_secret_value() and not (settings.data_dir / FILE).exists():
        yield None
        return
    try:
        storage = choose_services(load_plugins(settings), settings).storage
    except (PluginError, SettingsError) as error:
        raise WrongSettings(str(error)) from None
    storage.open()
    try:
        yield storage
    finally:
        storage.close()


def _refuse_running(settings: Settings, configuration: Configuration) -> None:
    """Raise ImportRefusedError when either server runs: what happened in it meanwhile would be lost."""
    if _answers(settings.socket):
        raise ImportRefusedError(f"Hatsize runs on {settings.data_dir}: stop it first")
    theirs = Path(configuration.get("unix_socket", HEADSCALE_SOCKET))
    if not invocation().force and _answers(theirs):
        raise ImportRefusedError(f"Headscale still runs at {theirs}: stop it first, or only look with --dry-run")


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True
