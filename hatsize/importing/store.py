"""What a storage holds before an import, and whether an import may go there."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from hatsize.hooks.storage import LogTrimmedError, Storage
from hatsize.importing.findings import ImportRefusedError
from hatsize.importing.plan import ACTOR, TAILNET, Key, touched_by_others
from hatsize.tailnet.model import RECORDS, Change, Tailnet
from hatsize.tailnet.state import State


@dataclass(frozen=True, slots=True)
class Held:
    """What there is."""

    state: State = field(default_factory=lambda: State(TAILNET))
    touched: AbstractSet[Key] = frozenset()
    """The rows that others than imports have changed; all, where the log no longer tells."""
    imported: bool = False
    """Whether it came from an import, as far as the log tells."""

    @property
    def empty(self) -> bool:
        return not self.state.table(Tailnet)

    def after(self, change: Change | None) -> State:
        """The state as a change will make it; `state` is left as it is."""
        records = [record for kind in RECORDS for record in self.state.all(kind)]
        state = State.load(self.state.tailnet_id, self.state.seq, records, {})
        if change is not None:
            state.apply(change)
        return state


def held_by(storage: Storage) -> Held:
    """What an open storage holds."""
    if not storage.tailnets():
        return Held()
    snapshot = storage.load(TAILNET)
    state = State.load(TAILNET, snapshot.seq, snapshot.records, snapshot.last_ids)
    try:
        changes = storage.changes(TAILNET, 0)
    except LogTrimmedError:
        return Held(state, {(record.table, record.id) for record in snapshot.records})
    return Held(state, touched_by_others(changes), bool(changes) and changes[0].actor == ACTOR)


def check_origin(held: Held, noise_key_here: str | None, noise_key: str | None, where: str) -> None:
    """Raise ImportRefusedError unless nothing is there yet, or what came from the same server before.

    A server is known by its Noise key; one that has lost it, by there being an import and no other key.
    """
    if noise_key is not None and noise_key_here == noise_key:
        return
    if held.empty and noise_key_here is None:
        return
    if noise_key is None and noise_key_here is None and held.imported:
        return
    mend = "name an empty directory with --data-dir, or move that one away"
    raise ImportRefusedError(f"{where} holds another tailnet: {mend}")
